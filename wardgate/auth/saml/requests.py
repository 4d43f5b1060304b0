"""The request that a browser takes to the identity provider (SAML 2.0 core, section 3.4.1), in the
address that it goes to (SAML 2.0 bindings, section 3.4)."""

import base64
import zlib
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit
from xml.sax.saxutils import escape, quoteattr

from wardgate.auth.saml.config import Config
from wardgate.auth.saml.flows import Flow
from wardgate.auth.saml.metadata import POST


def sso_address(sso_url: str, config: Config, flow: Flow) -> str:
    """Where a browser logs in."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(_request(sso_url, config, flow).encode()) + packer.flush()
    query = {"SAMLRequest": base64.b64encode(packed).decode(), "RelayState": flow.state}
    joined = "&" if urlsplit(sso_url).query else "?"
    return f"{sso_url.partition('#')[0]}{joined}{urlencode(query)}"


def _request(sso_url: str, config: Config, flow: Flow) -> str:
    issued = datetime.fromtimestamp(flow.begun, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        '<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"'
        ' xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"'
        f' ID={quoteattr(flow.request_id)} Version="2.0" IssueInstant="{issued}"'
        f" Destination={quoteattr(sso_url)} ProtocolBinding={quoteattr(POST)}"
        f" AssertionConsumerServiceURL={quoteattr(flow.acs_url)}>"
        f"<saml:Issuer>{escape(config.entity_id)}</saml:Issuer></samlp:AuthnRequest>"
    )
