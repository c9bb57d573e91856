"""The REST API in front of the functions: the app's own routes, two host names, limits, and a log without tokens."""

from __future__ import annotations

import json
import re
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from chalicelib.handlers.answers import plain_404
from infra.functions import RETENTION, Functions
from infra.region import Region
from infra.routes import routes

STAGE = "api"
# What a request's line in the log may say. The resource is the route (`/d/{p2}/{p3}`): a path would hold a phone's token.
LOGGED = {
    "at": "$context.requestTime",
    "request_id": "$context.requestId",
    "address": "$context.identity.sourceIp",
    "host": "$context.domainName",
    "method": "$context.httpMethod",
    "resource": "$context.resourcePath",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "milliseconds": "$context.responseLatency",
    "function_milliseconds": "$context.integrationLatency",
    "error": "$context.error.responseType",
}
# What API Gateway answers by itself for a path or method that is not there.
_UNKNOWN = ("MISSING_AUTHENTICATION_TOKEN", "RESOURCE_NOT_FOUND")


class Api(Construct):
    """`rest` is the API, `stage` its one stage, `domains` its host names with their addresses."""

    def __init__(self, scope: Construct, region: Region, functions: Functions) -> None:
        super().__init__(scope, "Api")
        self._region = region
        access_log = logs.LogGroup(
            self,
            "AccessLog",
            log_group_name=f"/sip-gateway/{region.name}/access",
            retention=RETENTION[region.functions.log_retention_days],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.rest = apigateway.SpecRestApi(
            self,
            "Rest",
            rest_api_name=region.prefix,
            api_definition=apigateway.ApiDefinition.from_inline(api_document(region, functions.by_group)),
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            disable_execute_api_endpoint=True,  # phones and people call the two hosts
            cloud_watch_role=False,  # for execution logs, which would hold paths with tokens
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                throttling_rate_limit=region.limits.requests_per_second,
                throttling_burst_limit=region.limits.burst,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(LOGGED)),
                tracing_enabled=False,  # its traces would hold the paths; the functions have traces of their own
                cache_data_encrypted=True,
            ),
        )
        self.stage = self.rest.deployment_stage
        for name, function in functions.by_group.items():
            function.add_permission(
                f"Api{name.capitalize()}",
                principal=iam.ServicePrincipal("apigateway.amazonaws.com"),
                source_arn=self.rest.arn_for_execute_api("*", "/*", STAGE),
            )
        certificate = acm.Certificate.from_certificate_arn(self, "Certificate", region.hosts.certificate_arn)
        self.domains = {
            "Phones": self._domain("Phones", region.hosts.phones, certificate, self._truststore()),
            "People": self._domain("People", region.hosts.people, certificate, None),
        }

    def _domain(
        self, name: str, host: str, certificate: acm.ICertificate, truststore: apigateway.MTLSConfig | None
    ) -> apigateway.DomainName:
        domain = apigateway.DomainName(
            self,
            name,
            domain_name=host,
            certificate=certificate,
            endpoint_type=apigateway.EndpointType.REGIONAL,
            security_policy=apigateway.SecurityPolicy.TLS_1_2,
            mtls=truststore,
        )
        domain.add_base_path_mapping(self.rest, stage=self.stage)
        hosts = self._region.hosts
        if hosts.zone_id:
            zone = route53.HostedZone.from_hosted_zone_attributes(
                self, f"{name}Zone", hosted_zone_id=hosts.zone_id, zone_name=hosts.zone_name
            )
            target = route53.RecordTarget.from_alias(targets.ApiGatewayDomain(domain))
            route53.ARecord(self, f"{name}Record", zone=zone, record_name=f"{host}.", target=target)
        return domain

    def _truststore(self) -> apigateway.MTLSConfig | None:
        """The manufacturers' roots, where the region wants certificates of phones."""
        roots = self._region.manufacturer_roots
        if roots is None:
            return None
        asset = s3_assets.Asset(self, "ManufacturerRoots", path=str(roots))
        return apigateway.MTLSConfig(bucket=asset.bucket, key=asset.s3_object_key)


def api_document(region: Region, functions: dict[str, lambda_.Function]) -> dict[str, Any]:
    """The API in OpenAPI 3, from the app's routes. Every route goes to its group's function as it came."""
    paths: dict[str, Any] = {}
    for route in routes():
        operation: dict[str, Any] = {
            "responses": {"default": {"description": "as the function answers"}},
            "x-amazon-apigateway-integration": {
                "type": "aws_proxy",
                "httpMethod": "POST",
                "passthroughBehavior": "when_no_match",
                "uri": _invocation(functions[route.group]),
            },
        }
        variables = re.findall(r"\{(\w+)\}", route.path)
        if variables:
            operation["parameters"] = [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in variables
            ]
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.0.1",
        "info": {"title": region.prefix, "version": "1"},
        "paths": paths,
        "x-amazon-apigateway-binary-media-types": ["*/*"],  # uploads of phones name whatever type they like
        "x-amazon-apigateway-gateway-responses": {kind: _not_found() for kind in _UNKNOWN},
    }


def _invocation(function: lambda_.Function) -> str:
    stack = cdk.Stack.of(function)
    return (
        f"arn:{stack.partition}:apigateway:{stack.region}:lambda:path/2015-03-31/functions/{function.function_arn}/invocations"
    )


def _not_found() -> dict[str, Any]:
    """The app's own 404, so that a stranger cannot tell a path that exists from one that does not."""
    answer = plain_404()
    headers = {name: str(value) for name, value in answer.headers.items()}
    return {
        "statusCode": answer.status_code,
        "responseParameters": {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in headers.items()},
        "responseTemplates": {"application/json": answer.body},
    }
