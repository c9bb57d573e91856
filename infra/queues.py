"""Ways of messages: commands to the edges, and work that a function hands on to another."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.region import Region

WORK_SECONDS = 90  # a part of a job takes less than 60


class Queues(Construct):
    """The topic of commands; each edge makes its own queue and subscribes it. The work queue, and where failed work waits."""

    def __init__(self, scope: Construct, region: Region) -> None:
        super().__init__(scope, "Queues")
        self.commands = sns.Topic(
            self,
            "Commands",
            topic_name=f"{region.prefix}-commands",
            enforce_ssl=True,
            master_key=kms.Alias.from_alias_name(self, "SnsKey", "alias/aws/sns"),  # commands may carry a SIP password
        )
        self.failed = sqs.Queue(
            self,
            "Failed",
            queue_name=f"{region.prefix}-failed",
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            retention_period=cdk.Duration.days(14),
        )
        self.work = sqs.Queue(
            self,
            "Work",
            queue_name=f"{region.prefix}-work",
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            visibility_timeout=cdk.Duration.seconds(
                2 * WORK_SECONDS
            ),  # a part that died is tried again soon; two at once do no harm
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=3, queue=self.failed),
        )
        stack = cdk.Stack.of(self)
        self._edge_queues = stack.format_arn(service="sqs", resource=f"{region.prefix}-edge-*")
        self._subscriptions = stack.format_arn(service="sns", resource=f"{region.prefix}-commands:*")

    def grant_edge(self, role: iam.IRole) -> None:
        """An edge makes, reads and removes its own queue, and subscribes it. Names of edges are not known beforehand.

        It also removes the queues that killed edges left behind: those of the topic's subscribers without a living edge's tag.
        """
        own = ["CreateQueue", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage", "SetQueueAttributes", "TagQueue"]
        others = ["DeleteQueue", "GetQueueUrl", "ListQueueTags"]
        queue = iam.PolicyStatement(
            sid="OwnQueue", actions=[f"sqs:{name}" for name in [*own, *others]], resources=[self._edge_queues]
        )
        subscription = iam.PolicyStatement(
            sid="OwnSubscription",
            actions=["sns:ListSubscriptionsByTopic", "sns:Subscribe", "sns:Unsubscribe"],
            resources=[self.commands.topic_arn, self._subscriptions],
        )
        role.add_to_principal_policy(queue)
        role.add_to_principal_policy(subscription)
