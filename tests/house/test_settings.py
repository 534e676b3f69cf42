"""The configuration is strict, and every mistake in it is one line that says where and what."""

from pathlib import Path

import pytest

from runbook_bot.errors import SettingsError
from runbook_bot.settings import Settings
from runbook_bot.settings.document import parse
from runbook_bot.settings.editing import change, shown

BOT = "xoxb-" + "1234567890-abcdefghij"
APP = "xapp-" + "1-A0123-456-deadbeef"


def load(home: Path, config: str = "", services: str = "", **environ: str) -> Settings:
    if config:
        (home / "config.yaml").write_text(config)
    if services:
        (home / "services.yaml").write_text(services)
    return Settings.load(home, environ)


def test_nothing_is_configuration_enough(tmp_path: Path) -> None:
    settings = load(tmp_path / "nowhere")
    assert settings.home.is_absolute()
    assert settings.agent.max_iterations == 10
    assert settings.state.redis_url is None
    assert settings.services.services == ()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("agnt: {}", r"config.yaml:1: agnt is not a known key; did you mean agent\?"),
        (
            "# x\nagent:\n  max_iteration: 3\n",
            r"config.yaml:3: agent.max_iteration is not a known key; did you mean agent.max_iterations\?",
        ),
        ("max_iterations: 3", r"max_iterations is not a known key; did you mean agent.max_iterations\?"),
        (
            "knowledge:\n  sources:\n    - path: a\n    - pth: b\n",
            r"config.yaml:4: knowledge.sources\[1\].pth is not a known key; did you mean knowledge.sources\[1\].path\?",
        ),
        (
            "safety:\n  approvers:\n    high: {usrs: [U12]}\n",
            r"config.yaml:3: safety.approvers.high.usrs is not a known key; did you mean safety.approvers.high.users\?",
        ),
        ("safety: {approvers: {hihg: {}}}", "safety.approvers.hihg"),
        ("safety: {freeze: [{from: 2026-01-02, until: 2026-01-01}]}", "`until` must be later than `from`"),
        ("agent: {zzz: 1}", "agent.zzz is not a known key; known here: max_hypotheses, "),
        ("llm:\n  model: x\n", "config.yaml:1: llm is not supported by this version; take it out"),
        ("incident:\n  pagerduty: {}\n", "incident.pagerduty is not supported by this version"),
        ("providers: {aws: {regions: [mars]}}", r"regions\[0\]: 'mars' is no region of AWS; one reads us-east-1"),
        ("providers:\n  kubernetes: {}\n", "providers.kubernetes is not supported by this version"),
        ("agent:\n  max_iterations: many\n", "config.yaml:2: agent.max_iterations: input should be a valid integer"),
        ("agent:\n  max_iterations: 0\n", "agent.max_iterations: input should be greater than or equal to 1"),
        ("agent: 5", "config.yaml:1: agent: must hold keys and values$"),
        ("safety: {approvers: [U1]}", "config.yaml:1: safety.approvers: must hold keys and values$"),
        ("safety: {approvers: {high: {users: U12345}}}", "safety.approvers.high.users: must be a list$"),
        ("agent: {}\n1: {}\n", "config.yaml, line 2: a key has to be text; write it in quotes"),
        ("agent: {on: 1}\n", "config.yaml, line 1: a key has to be text"),
        ("safety: {freeze: [{from: '0001-01-01T00:00:00+10:00', until: 2026-01-01}]}", "lies beyond the years"),
        ("knowledge: {store: {url: 'http://chroma:x'}}", "knowledge.store: port could not be cast"),
        ("knowledge:\n  sources:\n    - watch: true\n", r"config.yaml:3: knowledge.sources\[0\].path is missing"),
        ("- a\n- b\n", "config.yaml must hold keys and values at its top"),
        ("just words", "config.yaml must hold keys and values at its top"),
        ("agent:\n\tmax: 1\n", "config.yaml, line 2, column 1: no valid YAML: .*'\\\\t'"),
        ("agent: {max_iterations: 3", "config.yaml, line 1, column 26: no valid YAML"),
        ("agent: &a [*b]", "config.yaml, line 1, column 12: no valid YAML: found undefined alias"),
        ("agent: {}\nagent: {}\n", "config.yaml, line 2: the key agent stands there twice"),
        (
            "agent:\n  max_hypotheses: 4\n  max_iterations: 2026-13-45",
            "config.yaml, line 3, column 19: no valid YAML: month",
        ),
        ("a: \x07", "config.yaml, line 1: no valid YAML: the character"),
        ("[" * 5000, "nested too deeply"),
        (
            "state:\n  redis_url: ${NO_SUCH_THING}\n",
            "config.yaml:2: state.redis_url needs the environment variable NO_SUCH_THING, which is not set",
        ),
        ("state: {redis_url: '${not a name}'}", "is no variable; write"),
        ("state:\n  redis_url: http://x\n", "config.yaml:2: state.redis_url: must begin with one of redis://"),
        (
            f"incident: {{slack: {{bot_token: {APP}}}}}",
            "config.yaml:1: incident.slack.bot_token must begin with xoxb- .* is a xapp token, .* SLACK_APP_TOKEN",
        ),
        ("a: 1\nb: 2\nc: 3\nd: 4\ne: 5\n", "; and 2 more$"),
    ],
)
def test_a_mistake_is_named(config: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        load(tmp_path, config)
    assert "\n" not in str(caught.value)
    assert APP not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"SLACK_BOT_TOKEN": APP}, "^SLACK_BOT_TOKEN must begin with xoxb-.*belongs in SLACK_APP_TOKEN"),
        ({"SLACK_APP_TOKEN": "nonsense"}, "^SLACK_APP_TOKEN must begin with xapp-"),
        ({"SLACK_API_URL": "localhost:1"}, "^SLACK_API_URL must be an address"),
        ({"SLACK_API_URL": "http://[::1"}, "^SLACK_API_URL must be an address"),
        ({"SLACK_API_URL": "http://slack:x/"}, "^SLACK_API_URL must be an address"),
        ({"SLACK_API_URL": "https:///api"}, "^SLACK_API_URL must be an address"),
        ({"REDIS_URL": "http://cache"}, r"^REDIS_URL \(for state.redis_url\): must begin with"),
        ({"REDIS_URL": "redis://:hunter2@cache:port"}, r"^REDIS_URL \(for state.redis_url\): is no address of a Redis"),
        ({"CHROMA_URL": "chroma:8000"}, "url must look like"),
    ],
)
def test_a_wrong_variable_is_named(environ: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        load(tmp_path, **environ)
    assert not any(value in str(caught.value) for value in environ.values())


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"agent: \xff\xfe")
    with pytest.raises(SettingsError, match=r"config.yaml is not UTF-8 text \(byte 7\)"):
        Settings.load(tmp_path, {})
    (tmp_path / "config.yaml").unlink()
    (tmp_path / "config.yaml").mkdir()
    with pytest.raises(SettingsError, match=r"config.yaml cannot be read: Is a directory"):
        Settings.load(tmp_path, {})


def test_variables_are_filled_in(tmp_path: Path) -> None:
    config = 'agent: {max_iterations: "${ROUNDS:-4}"}\nproviders: {aws: {profile: "${WHO}-$$x"}}\n'
    settings = load(tmp_path, config, WHO="ops")
    assert settings.agent.max_iterations == 4
    assert settings.providers.aws.profile == "ops-$x"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = load(tmp_path, "state: {redis_url: redis://file/0}", REDIS_URL="redis://environment/0")
    assert settings.state.redis_url is not None
    assert settings.state.redis_url.get_secret_value() == "redis://environment/0"


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    settings = load(tmp_path, SLACK_BOT_TOKEN=BOT, SLACK_APP_TOKEN=APP)
    assert shown(settings, "incident.slack.bot_token") == "**********"
    assert BOT not in repr(settings) + str(shown(settings, None))


SERVICES = """
services:
  - name: web
    owner: shop
    depends_on: [orders-db, somebody-else]
    resources:
      - {type: ecs_service, cluster: prod, name: web}
      - {type: metric, namespace: Shop, name: Orders, dimensions: {Shop: eu}}
      - {type: metric, promql: 'rate(orders[5m])'}
  - name: orders-db
    resources: [{type: rds_instance, name: orders-db}]
"""


def test_services_are_read(tmp_path: Path) -> None:
    graph = load(tmp_path, services=SERVICES).services
    assert [service.name for service in graph] == ["web", "orders-db"]
    assert [r.key for s in graph for r in s.resources][:2] == ["ecs_service:prod/web", "metric:Shop/Orders{Shop=eu}"]
    assert graph.dependencies("web") == {"orders-db": 1, "somebody-else": 1}


@pytest.mark.parametrize("text", ["# nothing yet\n", "services:\n", "services: []\n"])
def test_no_services_is_fine(text: str, tmp_path: Path) -> None:
    assert load(tmp_path, services=text).services.services == ()


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ("- name: a", "must hold a list under `services:`"),
        ("services:\n  - nme: a\n", r"services.yaml:2: services\[0\].n(ame is missing|me is not a known key)"),
        ("services:\n  - name: a\n    ownr: b\n", r"services.yaml:3: .*did you mean services\[0\].owner\?"),
        ("services: [{name: a, resources: [{type: ecs, name: b}]}]", "resources.0..type: input should be 'ecs_"),
        ("services: [{name: a, resources: [{type: ecs_service, name: b}]}]", "type ecs_service needs cluster"),
        ("services: [{name: a, resources: [{type: metric, name: b}]}]", "type metric needs namespace"),
        ("services:\n  - name: a\n  - name: A\n", "services.yaml:3: the service A stands there twice"),
        ("services: [{name: a, depends_on: [a]}]", "the service a depends on itself"),
        ("services:\n  - name: a\n    depends_on: b\n", r"services.yaml:3: services\[0\].depends_on: must be a list$"),
    ],
)
def test_a_mistake_in_the_services_is_named(services: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=said):
        load(tmp_path, services=services)


@pytest.mark.parametrize(
    ("before", "key", "value", "after"),
    [
        ("", "agent.max_iterations", "5", "agent:\n  max_iterations: 5\n"),
        (
            "# top\nagent:\n  # why\n  max_iterations: 7 # so\n",
            "agent.max_iterations",
            "5",
            "# top\nagent:\n  # why\n  max_iterations: 5 # so\n",
        ),
        (
            "agent:\n  max_iterations: 7 # so\n",
            "agent.max_queries",
            "9",
            "agent:\n  max_queries: 9\n  max_iterations: 7 # so\n",
        ),
        ("# only this\n", "safety.approvers.high.users", "[U12]", None),
        ("# only this\n", "agent.max_queries", "9", "# only this\nagent:\n  max_queries: 9\n"),
        (
            "agent: {max_iterations: 7} # x\n",
            "agent.max_queries",
            "9",
            "agent: {max_queries: 9, max_iterations: 7} # x\n",
        ),
        ("agent: {} # x\n", "agent.max_queries", "9", "agent: {max_queries: 9} # x\n"),
        ("agent: # x\n", "agent.max_queries", "9", None),
        ("state: {} # x\n", "agent.max_queries", "9", "agent: {max_queries: 9}\nstate: {} # x\n"),
        (
            "providers: {aws: {}} # x\n",
            "providers.aws.regions",
            "[us-east-1, eu-west-1]",
            "providers: {aws: {regions: [us-east-1, eu-west-1]}} # x\n",
        ),
        (
            "providers:\n  aws:\n    regions:\n      - us-east-1\n    enabled: true # x\n",
            "providers.aws.regions",
            "[eu-west-1]",
            "providers:\n  aws:\n    regions: [eu-west-1]\n    enabled: true # x\n",
        ),
    ],
)
def test_a_key_is_changed_in_its_place(before: str, key: str, value: str, after: str | None, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(before)
    kept = change(tmp_path, key, value, {})
    text = config.read_text()
    assert kept == ("# x" in text or "#" not in before or "# so" in text or "# only" in text)
    assert after is None or text == after
    assert parse(config, text).value is not None
    Settings.load(tmp_path, {})


def test_a_wrong_value_changes_nothing(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("agent: {max_iterations: 7}\n")
    with pytest.raises(SettingsError, match=r"config.yaml:1: agent"):
        change(tmp_path, "agent.max_iterations", "0", {})
    assert config.read_text() == "agent: {max_iterations: 7}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def test_what_is_written_is_for_its_owner_alone(tmp_path: Path) -> None:
    change(tmp_path / "new", "incident.slack.bot_token", "${MY_TOKEN}", {"MY_TOKEN": BOT})
    config = tmp_path / "new" / "config.yaml"
    assert config.stat().st_mode & 0o077 == 0
    assert BOT not in config.read_text()
