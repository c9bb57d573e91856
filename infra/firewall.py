"""The web firewall: how many requests one address may send. Stage 1 and pairing, where strangers could guess, are stricter.

It keeps no samples of requests: their paths hold tokens.
"""

from __future__ import annotations

from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.api import STAGE, Api
from infra.region import Region

EDGE_FACTOR = 10  # an edge asks for thousands of phones
_EDGES = "edge"
_PAIRING = "pair|auth"
_NOT_STAGE_ONE = f"d|v1|healthz|{_EDGES}|{_PAIRING}"


class Firewall(Construct):
    """A web ACL on the API's stage."""

    def __init__(self, scope: Construct, region: Region, api: Api) -> None:
        super().__init__(scope, "Firewall")
        limits = region.limits
        edges, pairing = _under(_EDGES), _under(_PAIRING)
        stage_one = _not(_under(_NOT_STAGE_ONE))
        self.metric_name = f"{region.prefix}-firewall"
        rules = [
            _rate_rule(0, "Pairing", limits.pairing_per_address, pairing),
            _rate_rule(1, "StageOne", limits.stage_one_per_address, stage_one),
            _rate_rule(2, "Edges", limits.per_address * EDGE_FACTOR, edges),
            _rate_rule(3, "Others", limits.per_address, _not(edges)),
        ]
        acl = waf.CfnWebACL(
            self,
            "Acl",
            name=region.prefix,
            scope="REGIONAL",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            rules=rules,
            visibility_config=_visible(self.metric_name),
        )
        waf.CfnWebACLAssociation(self, "OnApi", resource_arn=api.stage.stage_arn, web_acl_arn=acl.attr_arn)


def _rate_rule(priority: int, name: str, limit: int, where: waf.CfnWebACL.StatementProperty) -> waf.CfnWebACL.RuleProperty:
    """Refuses an address with 429 while it sent more than `limit` requests within the last five minutes."""
    rate = waf.CfnWebACL.RateBasedStatementProperty(
        aggregate_key_type="IP", limit=limit, evaluation_window_sec=300, scope_down_statement=where
    )
    refusal = waf.CfnWebACL.BlockActionProperty(
        custom_response=waf.CfnWebACL.CustomResponseProperty(
            response_code=429,
            response_headers=[waf.CfnWebACL.CustomHTTPHeaderProperty(name="Retry-After", value="300")],
        )
    )
    return waf.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        statement=waf.CfnWebACL.StatementProperty(rate_based_statement=rate),
        action=waf.CfnWebACL.RuleActionProperty(block=refusal),
        visibility_config=_visible(name),
    )


def _under(words: str) -> waf.CfnWebACL.StatementProperty:
    """Paths whose first segment is one of `words`; the stage's name may stand before it."""
    return waf.CfnWebACL.StatementProperty(
        regex_match_statement=waf.CfnWebACL.RegexMatchStatementProperty(
            field_to_match=waf.CfnWebACL.FieldToMatchProperty(uri_path={}),
            regex_string=f"^(/{STAGE})?/({words})(/|$)",
            text_transformations=[waf.CfnWebACL.TextTransformationProperty(priority=0, type="URL_DECODE")],
        )
    )


def _not(statement: waf.CfnWebACL.StatementProperty) -> waf.CfnWebACL.StatementProperty:
    return waf.CfnWebACL.StatementProperty(not_statement=waf.CfnWebACL.NotStatementProperty(statement=statement))


def _visible(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )
