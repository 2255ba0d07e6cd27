"""What people write to a model behind its user's back, in English and Czech: one list for each intention.

Patterns are for text in lower case without accents, and begin with a plain word where they can: that makes
them fast. One intention alone says little; a text about security names it, too.
"""

import re
from typing import NamedTuple

_PHRASES: dict[str, tuple[str, ...]] = {
    "ignores instructions": (
        r"ignore\s+(?:\w+\s+){0,3}(?:instructions?|prompts?|rules|guidelines|directives|safety|messages?)",
        r"disregard\s+(?:\w+\s+){0,4}(?:instructions?|prompts?|rules|guidelines|above|previous)",
        r"forget\s+(?:\w+\s+){0,3}(?:instructions?|you were told|rules|guidelines|prompts?)",
        r"override\s+(?:\w+\s+){0,3}(?:system prompt|instructions?|safety|guardrails)",
        r"bypass\s+(?:\w+\s+){0,3}(?:safety|guardrails|restrictions|permissions?|filters?)",
        r"do not (?:follow|obey) (?:\w+\s+){0,3}(?:instructions?|rules)",
        r"(?:these|new) instructions (?:take precedence|replace|supersede)",
        r"(?:you are now|act as|enter) (?:dan\b|(?:in )?(?:developer|god|jailbreak|unrestricted) mode)",
        r"ignoruj(?:te)?\s+(?:\w+\s+){0,4}(?:instrukc|pokyn|pravidl|zada)",
        r"zapomen(?:te)?\s+(?:\w+\s+){0,4}(?:instrukc|pokyn|pravidl)",
        r"nedbej(?:te)?\s+(?:\w+\s+){0,4}(?:instrukc|pokyn|pravidl)",
        r"neridte? se\s+(?:\w+\s+){0,4}(?:instrukc|pokyn|pravidl)",
        r"obejdi\s+(?:\w+\s+){0,3}(?:omezen|pravidl|ochran|zabezpec)",
    ),
    "hides from the user": (
        r"(?:do not|don'?t|never|without|avoid) (?:ever )?(?:tell|telling|inform|informing|mention"
        r"|mentioning|reveal|revealing"
        r"|show|showing|notify|notifying|alert|alerting|disclose|disclosing)\s+(?!(?:\w+\s+){0,2}(?:keys?"
        r"|tokens?|passwords?|secrets?|credentials?|values?|raw)\b)(?:\w+\s+){0,5}(?:user|human|operator"
        r"|anyone|anybody)",
        r"(?:hide|conceal|keep)\s+(?:\w+\s+){0,4}(?:from|secret from) (?:the |your )?(?:user|human"
        r"|operator|anyone)",
        r"(?:user|human) (?:must|should|may|need) (?:not|never) (?:know|notice|see|learn|be (?:told"
        r"|informed|aware))",
        r"without (?:the )?(?:user'?s?|human'?s?) (?:knowledge|knowing|noticing|consent|approval|being "
        r"aware)",
        r"(?:silently|secretly|covertly|quietly) (?:\w+\s+){0,2}(?:send|post|upload|read|run|execute|copy"
        r"|collect|exfiltrate|transmit|append|add|fetch|install)",
        r"do not (?:mention|reveal|disclose|tell) (?:this|these|that) (?:instruction|step|comment|rule"
        r"|action|note|to )",
        r"nerikej(?:te)?\s+(?:\w+\s+){0,4}(?:uzivatel|nikomu)",
        r"neinformuj(?:te)?\s+(?:\w+\s+){0,3}uzivatel",
        r"nezminuj(?:te)?\b", r"neprozrad\w*\s+(?:\w+\s+){0,4}(?:uzivatel|nikomu)",
        r"(?:skryj|utaj|zataj|ukryj)\w*\s+(?:\w+\s+){0,4}uzivatel",
        r"pred uzivatelem\s+(?:\w+\s+){0,2}(?:skryj|utaj|zataj|ukryj|tajne)",
        r"bez (?:vedomi|souhlasu) uzivatel",
        r"uzivatel\w* (?:se )?(?:nesmi|nema|nemel)\w*\s+(?:\w+\s+){0,2}(?:vedet|dozvedet|videt|poznat"
        r"|vsimnout)",
        r"(?:tajne|potichu|nenapadne|skryte)\s+(?:\w+\s+){0,2}(?:odesli|posli|nahraj|precti|spust"
        r"|zkopiruj|odes|pos)",
    ),
    "reads credentials": (
        r"(?:read|cat|open|print|copy|collect|gather|grab|steal|dump|extract|find|search for|include|get"
        r"|take|attach|load|encode|harvest)\s+"
        r"(?:\w+\s+|`|'|\"){0,6}(?:~/|\$home/)?(?:\.ssh\b|\.aws\b|\.env\b|\.netrc|\.npmrc|\.kube\b"
        r"|\.gnupg|id_rsa|id_ed25519|credentials?\b|api[ _-]keys?|ssh keys?|private keys?|passwords?"
        r"|secrets?\b|tokens\b|environment variables|cookies)",
        r"~/\.(?:ssh/id_|aws/credentials|netrc|gnupg|kube/config|config/gcloud)", r"/etc/(?:passwd|shadow)",
        r"\b(?:printenv|env)\s*\|", r"\$\((?:cat|env|printenv)\b",
        r"(?:precti|nacti|otevri|zkopiruj|najdi|posbirej|vypis|vezmi|seber|ziskej)\w*\s+(?:\w+\s+|`|'"
        r"|\"){0,5}(?:~/|\.ssh|\.env|\.aws|hesl|klic|tajn|token|prihlasovac|promenn)",
    ),
    "sends them out": (
        r"(?:send|post|upload|transmit|exfiltrate|forward|submit|leak|report|deliver|ship"
        r"|push)\s+(?:\S{1,200}+\s++){0,12}?(?:to|via|at)\s+(?:\S{1,200}+\s++){0,5}?[`'\"<(]*(?:https?://"
        r"|webhook|attacker|remote server|external (?:server|url|endpoint)|ftp://"
        r"|[^\s@]{1,64}@[^\s@]{1,64}\.\w)",
        r"\bexfiltrat\w+",
        # Two looks ahead, since one pattern for both would try every pair of places.
        r"(?:curl|wget)\s(?=[^\n]{0,300}?\s(?:-d|--data|--post-|-f\b|--form|-t\b|--upload-file))"
        r"(?=[^\n]{0,400}?(?:\$\(|\s@|=@|\$\{?\w{0,30}(?:key|token|secret|pass)|`|-d ?@))",
        r"(?:curl|wget)\s[^\n]{0,300}\?\w+=\$",
        r"(?:posli|odesli|nahraj|preposli|prepos|odes)\w*\s+(?:\S{1,200}+\s++){0,12}?(?:na|do"
        r"|pres)\s+(?:\S{1,200}+\s++){0,5}?[`'\"<(]*(?:https?://|webhook|server|adresu"
        r"|[^\s@]{1,64}@[^\s@]{1,64}\.\w)",
    ),
    "approves everything": (
        r"(?:always |automatically |auto-?)(?:approve|accept|allow|confirm|grant)\s+(?:\w+\s+){0,3}(?:all"
        r"|every|any|each|tool|command|permission|request|change)",
        r"(?:approve|accept|allow|confirm|grant)\s+(?:all|every|any) (?:\w+\s+){0,2}(?:tool|command"
        r"|permission|request|prompt|action|change|access)",
        r"without (?:asking|prompting|requesting|waiting)\s*(?:\w+\s+){0,3}(?:confirmation|permission"
        r"|approval|consent|user)",
        r"(?:never|do not|don'?t) ask\s+(?:\w+\s+){0,4}(?:confirmation|permission|approval|consent)",
        r"skip\s+(?:\w+\s+){0,3}(?:confirmations?|permission|approval)",
        r"--dangerously-skip-permissions",
        r"bypasspermissions",
        r"(?:schval|potvrd|povol|odsouhlas)\w*\s+(?:\w+\s+){0,2}(?:vse|vsechn|kazd)",
        r"bez (?:dalsiho )?(?:potvrzeni|ptani|schvaleni|dotaz)",
        r"neptej(?:te)?\s+se",
    ),
    "poses as the system": (
        r"</?(?:system|system-reminder|system_prompt|system-prompt|im_start|im_end|admin|developer"
        r"|assistant_instructions|function_calls|antml:\w+)(?:\s[^>]{0,80})?>",
        r"<\|(?:im_start|im_end|system|endoftext|user|assistant|start_header_id)\|?>?",
        r"\[/?(?:inst|system)\]",
        r"<</?sys>>",
        r"^\s{0,3}#{0,6}\s{0,3}(?:\*\*)?(?:system (?:prompt|message|override|notice|instruction)"
        r"|anthropic (?:notice|policy|instruction))s?\b[^\n]{0,10}:",
        r"^(?:system|human|assistant)\s*:\s+\S",
        r"(?:message|notice|instruction|note|update)s? from (?:anthropic|the system|the developers?|your "
        r"developers?)\b",
        r"(?:systemova|systemove) (?:zprava|instrukce|hlaseni)",
    ),
}  # fmt: skip

# A text without any of these words holds no phrase of the intention: looked for first, because that is fast.
_WORDS = {
    "ignores instructions":
        "ignor disregard forget overrid bypass follow obey precedence supersede replace dan mode "
    "zapomen nedbej neridte neride nerid obejdi",
    "hides from the user":
        "user human operator anyone anybody silently secretly covertly quietly mention reveal disclose "
    "tell nezminuj neprozrad nikomu uzivatel tajne potichu nenapadne skryte",
    "reads credentials":
        ".ssh .aws .env .netrc .npmrc .kube .gnupg id_rsa id_ed25519 credential key password secret "
        "token "
    "environment cookies ~/ /etc/ env hesl klic tajn prihlasovac promenn",
    "sends them out":
        "send post upload transmit exfiltrat forward submit leak report deliver ship push curl wget "
    "posli odesli nahraj prepos odes",
    "approves everything":
        "approve accept allow confirm grant asking prompting requesting waiting ask skip "
        "bypasspermissions "
    "schval potvrd povol odsouhlas potvrzeni neptej ptani dotaz",
    "poses as the system":
        "<system </system <im_ </im_ <admin </admin <developer </developer <assistant_ </assistant_ "
        "<function_ "
    "</function_ <antml </antml <| inst] [system] [/system] sys>> system anthropic human: assistant: "
    "human : developer systemov",
}  # fmt: skip


class Phrases(NamedTuple):
    words: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]

    def search(self, text: str) -> re.Match[str] | None:
        if not any(word in text for word in self.words):
            return None
        return next(filter(None, (pattern.search(text) for pattern in self.patterns)), None)


PHRASES = {
    intention: Phrases(
        tuple(_WORDS[intention].split()),
        tuple(re.compile(pattern, re.MULTILINE) for pattern in patterns),
    )
    for intention, patterns in _PHRASES.items()
}
