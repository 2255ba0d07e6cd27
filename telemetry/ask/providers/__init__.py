"""Who turns a question into SQL: Anthropic's Messages API, or whatever speaks OpenAI's chat completions.

draft.py              what is asked of a model, and what it answers
anthropic_messages.py
openai_chat.py
choosing.py           which of them, by the settings
failures.py           how their refusals are told
"""
