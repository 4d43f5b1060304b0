"""The JSON object around every answer, in Vault's form."""

from wardgate.core.request import JsonMap, Response


def envelope(request_id: str, response: Response) -> JsonMap:
    """The answer as it goes over the wire, as an object."""
    wrapped: JsonMap = {
        "request_id": request_id,
        "lease_id": response.lease_id,
        "renewable": response.renewable,
        "lease_duration": response.lease_duration,
        "data": response.data,
        "wrap_info": response.wrap_info,
        "warnings": response.warnings or None,
        "auth": response.auth,
    }
    return {**response.data, **wrapped} if response.spread else wrapped
