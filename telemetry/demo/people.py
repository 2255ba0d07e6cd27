"""Who works at the demo organisation, and how each of them works with Claude Code."""

from dataclasses import dataclass

DOMAIN = "demo.example"
SCAFFOLD = "component-scaffold:component-scaffold"
OPUS, SONNET, HAIKU = "claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5"


@dataclass(frozen=True)
class Team:
    """What the people of a team share: projects, and the plugins and servers they have installed."""

    projects: tuple[str, ...]
    skills: tuple[str, ...]
    commands: tuple[str, ...]
    agents: tuple[str, ...]
    mcp_servers: tuple[str, ...]


@dataclass(frozen=True)
class Person:
    """Shares are probabilities; `rejects` is per call that asks for permission, the others per turn."""

    name: str
    team: Team
    sessions: int
    hour: int
    time_zone: str
    models: tuple[str, ...]
    skilful: float = 0.05
    delegates: float = 0.03
    rejects: float = 0.02
    weekends: float = 0.05

    @property
    def login(self) -> str:
        return self.name.lower().replace(" ", ".").replace("á", "a").replace("-", "")

    @property
    def email(self) -> str:
        return f"{self.login}@{DOMAIN}"


BACKEND = Team(
    projects=("checkout-api", "data-pipelines"),
    skills=("review-kit:review", "review-kit:test-gaps", "commit-message"),
    commands=("review-kit:review", "release-train:cut", "test-gaps"),
    agents=("Explore", "review-kit:reviewer", "general-purpose"),
    mcp_servers=("github", "postgres"),
)
FRONTEND = Team(
    projects=("storefront", "design-tokens"),
    skills=("house-style:tone", "review-kit:review", "a11y-check:audit", SCAFFOLD),
    commands=("house-style:tone", SCAFFOLD),
    agents=("Explore", "Plan", "a11y-check:keyboard-tester"),
    mcp_servers=("github", "plugin_house-style_figma"),
)
DATA = Team(
    projects=("data-pipelines", "forecasting"),
    skills=("data-toolbox:query-plan", "data-toolbox:sql-style", "chart-notes:chart-notes"),
    commands=("data-toolbox:explain", "data-toolbox:query-plan"),
    agents=("data-toolbox:analyst", "general-purpose"),
    mcp_servers=("postgres", "plugin_data-toolbox_warehouse"),
)
OPERATIONS = Team(
    projects=("infra", "checkout-api"),
    skills=("incident-notes", "release-train:changelog", "incident-desk:timeline"),
    commands=("release-train:cut", "incident-notes", "incident-desk:handover"),
    agents=("Explore", "Plan", "general-purpose", "incident-desk:scribe"),
    mcp_servers=("github", "monitoring"),
)

PEOPLE = (
    Person("Mira Solberg", BACKEND, 20, 7, "Europe/Oslo", (SONNET, SONNET, OPUS), skilful=0.08),
    Person("Tomás Arrieta", BACKEND, 17, 8, "Europe/Madrid", (OPUS,), delegates=0.08, rejects=0.01),
    Person("Wren Okafor", BACKEND, 14, 9, "Africa/Lagos", (SONNET,), rejects=0.06),
    Person("Caleb Marsh", BACKEND, 10, 13, "America/Chicago", (SONNET, HAIKU), skilful=0.02, weekends=0.5),
    Person("Lena Haugwitz", FRONTEND, 18, 7, "Europe/Berlin", (SONNET,), skilful=0.1),
    Person("Aiko Tanabe", FRONTEND, 16, 0, "Asia/Tokyo", (SONNET, OPUS), rejects=0.03),
    Person("Sofia Marchetti", FRONTEND, 11, 8, "Europe/Rome", (HAIKU, SONNET), skilful=0.03),
    Person("Priya Raghunath", DATA, 19, 4, "Asia/Kolkata", (OPUS, SONNET), skilful=0.12, delegates=0.06),
    Person("Noor El-Amin", DATA, 13, 6, "Asia/Dubai", (SONNET,), skilful=0.07),
    Person("Idris Vantongeren", DATA, 10, 8, "Europe/Brussels", (HAIKU,), rejects=0.05, weekends=0.2),
    Person("Petra Vinklar", OPERATIONS, 15, 7, "Europe/Prague", (SONNET, OPUS), delegates=0.05),
    Person("Jonas Lindmark", OPERATIONS, 12, 8, "Europe/Stockholm", (SONNET,), weekends=0.3),
)
