"""What a server really runs with: the command line over the environment over the files."""

from dataclasses import replace

from wardgate.http.rules import Rules
from wardgate.server.config import LmdbStorage, MemoryStorage, ServerConfig, load_config
from wardgate.server.document import ConfigError
from wardgate.server.listeners import TcpListener, TlsConfig
from wardgate.server.options import DevOptions, ServerOptions
from wardgate.server.seals.config import ShamirSeal


def effective_config(
    options: ServerOptions, dev_tls: TlsConfig | None = None
) -> tuple[ServerConfig, list[str]]:
    """The configuration that `options` ask for, with the warnings of both.

    `dev_tls` is the certificate of a dev server that was asked to speak TLS; see
    `wardgate.server.devtls`. Raises `ConfigError`.
    """
    if options.dev is None:
        config, warnings = load_config(options.config_paths)
    else:
        config, warnings = load_config(
            options.config_paths,
            storage=MemoryStorage(),
            listeners=(_dev_listener(options.dev, dev_tls),),
            environ={},
        )
        if not isinstance(config.seal, ShamirSeal):
            problem = "a dev server has one of its own; leave out the seal block, or -dev"
            raise ConfigError(problem, config.seal.place, "seal")
        if options.dev.data is not None:
            config = replace(config, storage=LmdbStorage(options.dev.data))
        config = replace(config, raw_storage_endpoint=True, ui=True)
    config = replace(
        config,
        log_level=options.log_level or config.log_level,
        log_format=options.log_format or config.log_format,
        log_file=options.log_file or config.log_file,
        log_rotate_bytes=_first(options.log_rotate_bytes, config.log_rotate_bytes),
        log_rotate_duration=_first(options.log_rotate_duration, config.log_rotate_duration),
        log_rotate_max_files=_first(options.log_rotate_max_files, config.log_rotate_max_files),
        api_addr=options.api_addr or config.api_addr,
        cluster_addr=options.cluster_addr or config.cluster_addr,
        introspection_endpoint=config.introspection_endpoint or _bare_dev(options),
    )
    return config, [*options.warnings, *warnings]


def _bare_dev(options: ServerOptions) -> bool:
    """Whether it is a dev server that no file says anything about."""
    return options.dev is not None and not options.config_paths


def _first(given: int | None, otherwise: int) -> int:
    return otherwise if given is None else given


def _dev_listener(dev: DevOptions, tls: TlsConfig | None) -> TcpListener:
    assert dev.tls == (tls is not None), "a TLS dev server needs a certificate, and only that one"
    return TcpListener(host=dev.host, port=dev.port, tls=tls, rules=Rules(open_metrics=True))
