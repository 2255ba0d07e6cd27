"""What sessions of the demo organisation are about: its projects, and the words said about them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Project:
    name: str
    files: tuple[str, ...]
    tests: str
    shell: tuple[str, ...]
    words: tuple[str, ...]
    branches: tuple[str, ...]
    prompts: tuple[str, ...]


_PROJECTS = (
    Project(
        name="checkout-api",
        files=(
            "orders/totals.py",
            "orders/models.py",
            "payments/retry.py",
            "tests/test_totals.py",
            "README.md",
        ),
        tests="pytest -q",
        shell=("git status --short", "ruff check .", "git diff --stat", "python -m orders.replay --dry-run"),
        words=("round_half_even", "PaymentDeclined", "retry_after", "apply_voucher"),
        branches=("main", "fix/voucher-rounding", "feature/retry-budget"),
        prompts=(
            "Vouchers are rounded twice when an order holds two currencies. Find where and fix it.",
            "Add a retry budget to the payment client, at most three attempts in ten seconds.",
            "Why does test_totals fail only on the last day of a month?",
            "Split orders/models.py: the history belongs in a module of its own.",
        ),
    ),
    Project(
        name="storefront",
        files=("src/basket/Basket.tsx", "src/basket/useBasket.ts", "src/search/Filters.tsx", "package.json"),
        tests="npm test -- --run",
        shell=("git status --short", "npm run lint", "npm run build", "git log --oneline -5"),
        words=("useBasket", "aria-live", "debounce", "PriceTag"),
        branches=("main", "feature/saved-baskets", "fix/filter-focus"),
        prompts=(
            "The filter drawer loses focus after it closes. Make it keyboard friendly.",
            "Show saved baskets on the account page, newest first, with an empty state.",
            "Our bundle grew by 80 kB last week. What did it?",
        ),
    ),
    Project(
        name="design-tokens",
        files=("tokens/colour.json", "tokens/space.json", "build/css.ts", "docs/contrast.md"),
        tests="npm run check",
        shell=("npm run build", "git diff --stat", "npm run contrast"),
        words=("--accent-strong", "contrast", "dark mode", "spacing"),
        branches=("main", "feature/high-contrast"),
        prompts=(
            "Make a high contrast variant of the colour tokens and list what fails 4.5 : 1.",
            "Write the release note for the new spacing scale, one paragraph, for designers.",
        ),
    ),
    Project(
        name="data-pipelines",
        files=(
            "dags/orders_daily.py",
            "sql/orders_daily.sql",
            "sql/customers.sql",
            "tests/test_orders_daily.py",
        ),
        tests="pytest -q tests",
        shell=(
            "dbt run --select orders_daily",
            "git status --short",
            "python -m pipelines.backfill --days 3",
        ),
        words=("orders_daily", "late_arrivals", "partition by", "is_refund"),
        branches=("main", "fix/late-orders", "feature/customer-snapshots"),
        prompts=(
            "orders_daily is eleven minutes slower since Monday. Compare the query plans.",
            "Late orders of yesterday are missing from the daily table. Backfill and add a test.",
            "Write a snapshot of the customers table with valid_from and valid_to.",
        ),
    ),
    Project(
        name="forecasting",
        files=("model/seasonal.py", "model/features.py", "notebooks/holidays.md", "tests/test_seasonal.py"),
        tests="pytest -q",
        shell=("python -m model.evaluate --weeks 8", "git status --short", "ls -la data"),
        words=("mean_absolute_error", "holidays", "lag_7", "seasonal"),
        branches=("main", "experiment/holidays"),
        prompts=(
            "The forecast misses the week after Easter every year. Try a holiday feature.",
            "Explain which features matter most for weekend demand, with numbers.",
        ),
    ),
    Project(
        name="infra",
        files=(
            "modules/queue/main.tf",
            "envs/staging.tfvars",
            "runbooks/disk-full.md",
            "charts/api/values.yaml",
        ),
        tests="terraform validate",
        shell=("terraform plan -out plan.bin", "kubectl get pods -n staging", "git status --short", "df -h"),
        words=("max_message_size", "retention", "replicas", "alert"),
        branches=("main", "ops/queue-alerts", "ops/staging-upgrade"),
        prompts=(
            "Staging runs out of disk every Thursday. Find out what grows and write a runbook.",
            "Add an alert for messages older than fifteen minutes in the order queue.",
            "Upgrade the staging cluster by one minor version and tell me what would break.",
        ),
    ),
)
PROJECTS = {project.name: project for project in _PROJECTS}

FOLLOW_UPS = (
    "Good. Now run the tests again.",
    "Please keep the public interface as it was.",
    "Can you explain the second change in two sentences?",
    "Also cover the empty case with a test.",
    "Leave the formatting alone and show me the diff.",
    "Looks right. Write the commit message.",
)
STEERING = (
    "Skip the integration tests, they take too long.",
    "Use the existing helper instead of a new one.",
)
THOUGHTS = (
    "The failing case goes through a different branch than I assumed.",
    "I should read the test before changing the code.",
    "Two callers depend on this; I will check both.",
)
ANSWERS = (
    "The cause is in {file}: {word} was applied before the totals were summed. Fixed, and covered by a test.",
    "I changed {file} so that {word} is computed once. All tests pass.",
    "Done. {file} holds the change; {word} keeps its meaning for callers.",
)
INTENTIONS = ("Let me look at {file}.", "I will search for {word} first.", "Now the change in {file}.")
MCP_TOOLS = {
    "github": ("get_issue", "list_pull_requests", "create_pull_request"),
    "postgres": ("query", "list_tables"),
    "monitoring": ("search_alerts", "get_dashboard"),
    "plugin_house-style_figma": ("get_frame", "list_styles"),
    "plugin_data-toolbox_warehouse": ("run_query", "explain"),
}
USER_INTERFACE_COMMANDS = ("clear", "model", "cost", "mcp", "compact")
# The demo's marketplace, which marketplace/demo/ makes, and the plugins of it that sessions use.
MARKETPLACE = "demo-tools"
PLUGIN_VERSIONS = {
    "review-kit": "1.4.0",
    "house-style": "0.9.2",
    "data-toolbox": "2.1.1",
    "release-train": "1.0.3",
    "incident-desk": "0.3.0",
    "a11y-check": "0.2.1",
}
# What Agnes itself serves, and the items of its flea market that sessions use; marketplace/demo/ has them.
SERVED_MARKETPLACE = "agnes"
FLEA_VERSIONS = {"component-scaffold": "1", "chart-notes": "1"}
# The day of the demo's sixty from which on a plugin is used; the others are there from the beginning.
PLUGIN_DAYS = {"a11y-check": 18, "incident-desk": 36}
# Claude Code is updated now and then: the day of the demo's sixty on which a version appears.
CLIENT_VERSIONS = ((0, "2.1.206"), (14, "2.1.212"), (31, "2.1.220"), (47, "2.1.232"))


def available(names: tuple[str, ...], day: int) -> tuple[str, ...]:
    """Those of these identifiers whose plugin, if they have one, is used on this day."""
    return tuple(name for name in names if PLUGIN_DAYS.get(name.partition(":")[0], 0) <= day)
