"""Keyword arguments: which are applied, which are not, and which nobody knows."""

# What azure-identity takes for its HTTP pipeline, and what to do instead of it here.
_PROXY = "set HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
_TRUST = "set SSL_CERT_FILE, SSL_CERT_DIR or REQUESTS_CA_BUNDLE"
_NOT_APPLIED = {
    "cache": "tokens are kept in one cache for the process",
    "cae_cache": "tokens are kept in one cache for the process",
    "cache_persistence_options": "tokens are kept in memory",
    "connection_cert": None,
    "connection_timeout": None,
    "connection_verify": _TRUST,
    "custom_hook_policy": None,
    "disable_automatic_authentication": None,
    "headers": None,
    "headers_policy": None,
    "logging_enable": None,
    "per_call_policies": None,
    "per_retry_policies": None,
    "policies": None,
    "proxies": _PROXY,
    "proxy_policy": _PROXY,
    "raw_request_hook": None,
    "raw_response_hook": None,
    "read_timeout": None,
    "retry_backoff_factor": None,
    "retry_backoff_max": None,
    "retry_connect": None,
    "retry_mode": None,
    "retry_on_methods": None,
    "retry_on_status_codes": None,
    "retry_policy": None,
    "retry_policy_class": None,
    "retry_read": None,
    "retry_status": None,
    "retry_total": None,
    "session": None,
    "session_owner": None,
    "timeout": None,
    "transport": None,
    "use_env_settings": None,
}
# A value that asks for nothing but what happens anyway.
_DEFAULTS = {"connection_verify": True, "logging_enable": False, "use_env_settings": True}
# What changes no token and no request that anybody would miss.
_COSMETIC = frozenset(
    {
        "auto_request_id",
        "base_headers",
        "connection_data_block_size",
        "disable_instance_discovery",  # what takes it has taken it; others ask nobody
        "enable_support_logging",
        "http_logging_policy",
        "logger",
        "logging_body",
        "logging_policy",
        "network_span_namer",
        "request_id",
        "tracing_attributes",
        "user_agent",
        "user_agent_overwrite",
        "user_agent_policy",
        "user_agent_use_env",
    }
)


def check(owner: object, given: dict[str, object], own: tuple[str, ...] = ()) -> None:
    """Warn, once for a constructor, of keyword arguments that have no effect.

    ``given`` are those that are left when the credential has taken its own, which are named by ``own``.
    """
    if not given:
        return
    said: list[str] = []
    for name, value in given.items():
        if name in _COSMETIC:
            continue
        if name not in _NOT_APPLIED:
            said.append(_unknown(name, {*own, *_NOT_APPLIED, *_COSMETIC}))
        elif value is not None and value != _DEFAULTS.get(name):
            instead = _NOT_APPLIED[name]
            said.append(f"{name!r} is not applied by this version" + (f"; {instead}" if instead else ""))
    warn(type(owner).__name__, said)


def check_request(owner: object, method: str, given: dict[str, object]) -> None:
    """Warn of keyword arguments of a request that nobody knows."""
    own = {"claims", "tenant_id", "enable_cae"}
    warn(f"{type(owner).__name__}.{method}", [_unknown(name, own) for name in given])


def _unknown(name: str, known: set[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, sorted(known), n=1)
    return f"there is no argument {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")


def warn(where: str, said: list[str], category: type[Warning] = UserWarning) -> None:
    """Warn of what is said, at the caller's own line."""
    if not said:
        return
    import sys
    import warnings

    # Point at the line that calls us, however many of our own frames and of subclasses' are between.
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] == "entrada":
        level, frame = level + 1, frame.f_back
    warnings.warn(f"{where}: {'. '.join(said)}", category, stacklevel=level)
