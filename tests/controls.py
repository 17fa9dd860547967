"""The chassis' controls, each with the mutation that removes it and the test that must notice.

The wall has a registry of its own in the generated service: tests/chassis/wall.
"""

from dataclasses import dataclass

CHASSIS = "src/service/chassis"
CONTRACT = f"{CHASSIS}/contract"


@dataclass(frozen=True)
class Control:
    name: str
    file: str
    present: str
    removed: str
    noticed_by: str


CONTROLS = [
    Control(
        "a role needs the permission",
        f"{CONTRACT}/guards.py",
        "        caller.require(permission)\n",
        "",
        "tests/architecture/test_default_deny.py::test_every_route_refuses_the_roles",
    ),
    Control(
        "a route must declare who may use it",
        f"{CONTRACT}/guards.py",
        "    if naked:\n",
        "    if False:\n",
        "tests/architecture/test_default_deny.py::test_an_undeclared_route_stops_the_start",
    ),
    Control(
        "an access token says that it is one",
        f"{CONTRACT}/sign_in.py",
        'if decoded.header.get("typ") != TYPE:',
        "if False:",
        "tests/chassis/contract/test_sign_in.py::test_anything_else_is_refused",
    ),
    Control(
        "one algorithm signs tokens",
        f"{CONTRACT}/sign_in.py",
        "decoded = jwt.decode(token, key, algorithms=[ALGORITHM])",
        'decoded = jwt.decode(token, key, algorithms=[ALGORITHM, "HS512"])',
        "tests/chassis/contract/test_sign_in.py::test_anything_else_is_refused",
    ),
    Control(
        "a token is for this service",
        f"{CONTRACT}/sign_in.py",
        'aud={"essential": True, "value": about().name},',
        "aud={},",
        "tests/chassis/contract/test_sign_in.py::test_anything_else_is_refused",
    ),
    Control(
        "a remembered token is forgotten when it expires",
        f"{CONTRACT}/sign_in.py",
        "min(until, time.time() + REMEMBERED_SECONDS)",
        "time.time() + 3600",
        "tests/chassis/contract/test_sign_in.py::test_a_remembered_token_is_forgotten",
    ),
    Control(
        "what is remembered is bounded",
        f"{CONTRACT}/sign_in.py",
        "if len(self._remembered) > REMEMBERED:",
        "if False:",
        "tests/chassis/contract/test_sign_in.py::test_what_is_remembered_is_bounded",
    ),
    Control(
        "a cursor is signed",
        f"{CONTRACT}/pages.py",
        "if not hmac.compare_digest(mac, self._mac(scope, payload)):",
        "if False:",
        "tests/chassis/contract/test_pages.py::test_every_changed_character_is_noticed",
    ),
    Control(
        "a cursor belongs to a tenant and a list",
        f"{CONTRACT}/pages.py",
        'scope.encode() + b"\\0" + payload',
        'b"\\0" + payload',
        "tests/chassis/contract/test_pages.py::test_a_cursor_of_another_list_or_tenant",
    ),
    Control(
        "a change needs the version that was read",
        f"{CONTRACT}/versions.py",
        "    if if_match is None:\n",
        "    if False:\n",
        "tests/product/notes/test_notes.py::test_a_change_needs_the_version_that_was_read",
    ),
    Control(
        "a lost update is refused",
        "src/service/product/notes/application.py",
        ', notes.version == bindparam("version_read"))',
        ', bindparam("version_read") > 0)',
        "tests/product/notes/test_notes.py::test_a_change_needs_the_version_that_was_read",
    ),
    Control(
        "a parser's message does not repeat what was sent",
        f"{CONTRACT}/problems.py",
        'return message.split(",")[0] if "parsing" in found["type"] else message',
        'return f"{message} {found}"',
        "tests/chassis/contract/test_problems.py::test_a_parser_does_not_repeat",
    ),
    Control(
        "the framework's words stay inside",
        f"{CONTRACT}/problems.py",
        "return problem(BY_STATUS.get(error.status_code, fallback), headers=error.headers)",
        "return problem(BY_STATUS.get(error.status_code, fallback), str(error.detail))",
        "tests/chassis/contract/test_problems.py",
    ),
    Control(
        "a crash tells the caller nothing",
        f"{CONTRACT}/problems.py",
        'return problem(CATALOGUE["internal"])',
        'return problem(CATALOGUE["internal"], str(error))',
        "tests/chassis/contract/test_problems.py::test_a_crash_tells_the_caller_nothing",
    ),
    Control(
        "a large body is a problem like any other",
        f"{CONTRACT}/envelope.py",
        "if length.isdecimal() and int(length) > self._max_body_bytes:",
        "if False:",
        "tests/chassis/contract/test_problems.py::test_a_large_body_is_refused",
    ),
    Control(
        "a large body of unknown length is refused",
        f"{CHASSIS}/app.py",
        "        max_body_size=settings.http.max_body_bytes,\n",
        "",
        "tests/chassis/contract/test_problems.py::test_a_large_body_is_refused",
    ),
    Control(
        "every answer carries the security headers",
        f"{CONTRACT}/envelope.py",
        "return [*given, *added,",
        "return [*given,",
        "tests/chassis/contract/test_envelope.py::test_every_answer_carries_the_security",
    ),
    Control(
        "a forged trace is not continued",
        f"{CHASSIS}/telemetry/tracing.py",
        "trace_id = sent[1] if sent and int(sent[1], 16) else secrets.token_hex(16)",
        "trace_id = traceparent[3:35] or secrets.token_hex(16)",
        "tests/chassis/contract/test_envelope.py::test_a_callers_trace_goes_on",
    ),
    Control(
        "the log holds no query string",
        f"{CONTRACT}/envelope.py",
        "        status=status,\n",
        '        status=status,\n        query=str(scope["query_string"]),\n',
        "tests/chassis/contract/test_envelope.py::test_each_request_is_one_log_line",
    ),
    Control(
        "an unknown field is refused",
        f"{CONTRACT}/shapes.py",
        'model_config = ConfigDict(extra="forbid", strict=True, frozen=True)',
        "model_config = ConfigDict(strict=True, frozen=True)",
        "tests/chassis/contract/test_problems.py::test_wrong_fields_are_named",
    ),
    Control(
        "nothing is coerced",
        f"{CONTRACT}/shapes.py",
        'model_config = ConfigDict(extra="forbid", strict=True, frozen=True)',
        'model_config = ConfigDict(extra="forbid", frozen=True)',
        "tests/chassis/contract/test_problems.py::test_wrong_fields_are_named",
    ),
    Control(
        "a placeholder is refused",
        f"{CHASSIS}/settings.py",
        "if any(word in secret.get_secret_value().lower() for word in PLACEHOLDERS):",
        "if False:",
        "tests/chassis/test_settings.py::test_a_placeholder_is_named",
    ),
    Control(
        "a weak key is refused",
        f"{CHASSIS}/settings.py",
        "if len(value) < 32 or len(set(value)) < 10:",
        "if False:",
        "tests/chassis/test_settings.py::test_a_weak_key_is_named",
    ),
    Control(
        "an unknown setting is refused",
        f"{CHASSIS}/settings.py",
        'model_config = ConfigDict(frozen=True, extra="forbid")\n\n\nclass ServiceSettings',
        "model_config = ConfigDict(frozen=True)\n\n\nclass ServiceSettings",
        "tests/chassis/test_settings.py::test_an_unknown_name_is_named",
    ),
    Control(
        "production refuses development identity",
        f"{CHASSIS}/settings.py",
        "if not settings.production:",
        "if True:",
        "tests/chassis/test_settings.py::test_production_refuses_what_is_only_fit",
    ),
    Control(
        "production is the default",
        f"{CHASSIS}/settings.py",
        '"production", description',
        '"development", description',
        "tests/chassis/test_settings.py::test_an_environment_that_is_not_named",
    ),
    Control(
        "production refuses an unsafe Postgres",
        f"{CHASSIS}/application/posture.py",
        "        if production:\n",
        "        if False:\n",
        "tests/chassis/test_server.py::test_production_refuses_a_postgres",
    ),
    Control(
        "no model call inside a transaction",
        f"{CHASSIS}/intelligence/gateway.py",
        "        if transaction_is_open.get():\n",
        "        if False:\n",
        "tests/chassis/intelligence/test_gateway.py::test_a_model_call_inside_a_transaction",
    ),
    Control(
        "a transaction says that it is open",
        f"{CHASSIS}/application/tenancy.py",
        "transaction_is_open.set(True)",
        "transaction_is_open.set(False)",
        "tests/chassis/intelligence/test_gateway.py::test_a_model_call_inside_a_transaction",
    ),
    Control(
        "a full pool is a typed refusal",
        f"{CHASSIS}/application/database.py",
        "    except PoolExhausted as error:\n",
        "    except ZeroDivisionError as error:\n",
        "tests/chassis/application/test_database.py::test_a_full_pool_is_unavailable",
    ),
    Control(
        "a slow statement is ended",
        f"{CHASSIS}/application/database.py",
        '                "statement_timeout": str(statement_ms),\n',
        "",
        "tests/chassis/application/test_database.py::test_a_slow_statement_is_ended",
    ),
    Control(
        "a dead connection is replaced",
        f"{CHASSIS}/application/database.py",
        "if driver.is_closed() or driver.is_in_transaction():",
        "if False:",
        "tests/chassis/application/test_database.py::test_a_connection_that_the_server_closed",
    ),
    Control(
        "readiness needs the database",
        f"{CHASSIS}/telemetry/health.py",
        "and all(up[name] for name in self.essential)",
        "",
        "tests/chassis/application/test_database.py::test_readiness_follows_the_database",
    ),
    Control(
        "a process drains before it stops",
        f"{CHASSIS}/server.py",
        "        self._app.state.health.draining = True\n",
        "",
        "tests/chassis/test_server.py::test_it_drains_before_it_stops",
    ),
    Control(
        "strangers do not learn the server's make",
        f"{CHASSIS}/server.py",
        "        server_header=False,\n",
        "",
        "tests/chassis/test_server.py::test_the_process_tells_strangers_nothing",
    ),
    Control(
        "production shows no interface document",
        f"{CHASSIS}/app.py",
        'openapi_url=None if settings.production else "/openapi.json"',
        'openapi_url="/openapi.json"',
        "tests/chassis/contract/test_envelope.py::test_production_shows_strangers_no_map",
    ),
]
