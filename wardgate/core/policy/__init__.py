"""ACL policies: what the holder of a token may do, path by path.

`parse_policy` reads a policy's text into `PolicyRules`; `Acl.compile` puts the rules of all
policies of a token together; `Acl.allows` and `Acl.decide` answer for a request. Nothing here
stores, knows time or waits. `docs/policies.md` tells the rules to whoever writes policies.
"""

from wardgate.core.policy.acl import Acl
from wardgate.core.policy.capabilities import Capability
from wardgate.core.policy.grants import Decision
from wardgate.core.policy.parse import parse_policy
from wardgate.core.policy.rules import PathRule, PolicyRules
from wardgate.core.policy.templates import TemplateAlias, TemplateGroup, TemplateSubject

__all__ = [
    "Acl",
    "Capability",
    "Decision",
    "PathRule",
    "PolicyRules",
    "TemplateAlias",
    "TemplateGroup",
    "TemplateSubject",
    "parse_policy",
]
