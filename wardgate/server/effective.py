"""What a server really runs with: the command line over the environment over the files."""

from dataclasses import replace

from wardgate.server.config import LmdbStorage, MemoryStorage, ServerConfig, load_config
from wardgate.server.listeners import TcpListener, TlsConfig
from wardgate.server.options import DevOptions, ServerOptions


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
        )
        if options.dev.data is not None:
            config = replace(config, storage=LmdbStorage(options.dev.data))
    config = replace(
        config,
        log_level=options.log_level or config.log_level,
        log_format=options.log_format or config.log_format,
        api_addr=options.api_addr or config.api_addr,
        cluster_addr=options.cluster_addr or config.cluster_addr,
    )
    return config, [*options.warnings, *warnings]


def _dev_listener(dev: DevOptions, tls: TlsConfig | None) -> TcpListener:
    assert dev.tls == (tls is not None), "a TLS dev server needs a certificate, and only that one"
    return TcpListener(host=dev.host, port=dev.port, tls=tls)
