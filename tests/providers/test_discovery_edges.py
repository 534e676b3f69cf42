"""Every edge that discovery finds says how: through moto but for traces and Service Connect, which moto has not."""

import json
from typing import Any

import pytest

from runbook_bot.domain.service import ServiceGraph
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn


def edges(graph: ServiceGraph, caller: str) -> dict[str, list[str]]:
    """What a service depends on, each with how that was found; a guess with a question mark."""
    service = graph.service(caller)
    assert service is not None, [each.name for each in graph]
    return {
        called: [edge.found + ("?" if edge.weak else "") for edge in graph.reasons(caller, called)]
        for called in service.depends_on
    }


def trusting(shop: Shop, name: str, *resources: str, managed: bool = False) -> str:
    """A role that may use these resources; its ARN."""
    iam = shop.client("iam")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    statement = {"Effect": "Allow", "Action": "*", "Resource": list(resources)}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    if managed:
        policy = iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    else:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
    return arn


def table(shop: Shop, name: str, **more: Any) -> str:
    told = shop.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **more,
    )["TableDescription"]
    return str(told.get("LatestStreamArn") or told["TableArn"])


async def test_what_feeds_a_function_and_where_its_failures_go(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The dead-letter queue is put in by the stand-in: moto does not keep it."""
    sqs, sns, awslambda = shop.client("sqs"), shop.client("sns"), shop.client("lambda")
    queues = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("jobs", "dead", "done")}
    arns = {name: f"arn:aws:sqs:us-east-1:123456789012:{name}" for name in queues}
    stream = table(shop, "orders", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
    shop.client("kinesis").create_stream(StreamName="clicks", ShardCount=1)
    clicks = shop.client("kinesis").describe_stream(StreamName="clicks")["StreamDescription"]["StreamARN"]
    topic = sns.create_topic(Name="news")["TopicArn"]
    nobody = sns.create_topic(Name="nobody-listens")["TopicArn"]
    shop.function()
    awslambda.put_function_event_invoke_config(
        FunctionName="receipts", DestinationConfig={"OnSuccess": {"Destination": arns["done"]}}
    )
    for source in (arns["jobs"], stream, clicks):
        awslambda.create_event_source_mapping(FunctionName="receipts", EventSourceArn=source, StartingPosition="LATEST")
    function = awslambda.get_function_configuration(FunctionName="receipts")["FunctionArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
    [listed] = awslambda.list_functions()["Functions"]
    shop.service(shop.revision(environment={"TOPIC": topic, "OTHER": nobody}))
    aws.tells("lambda", "ListFunctions", {"Functions": [listed | {"DeadLetterConfig": {"TargetArn": arns["dead"]}}]})
    graph = await provider.discover()
    assert edges(graph, "receipts") == {
        "jobs": ["event source"],
        "orders": ["event source"],
        "clicks": ["event source"],
        "dead": ["dead-letter queue"],
        "done": ["destination"],
    }
    assert edges(graph, "checkout-api") == {"receipts": ["environment TOPIC"]}, "through the topic, to who listens"
    assert {each.name for each in graph if not each.resources} == set(), "what has no resource is somebody else's"


async def test_what_a_role_may_use_one_by_one_is_used_and_what_it_may_use_at_large_says_nothing(
    shop: Shop, provider: AwsProvider
) -> None:
    table(shop, "orders")
    table(shop, "other")
    shop.client("s3").create_bucket(Bucket="invoices")
    shop.client("s3").create_bucket(Bucket="somebody-elses")
    own = trusting(shop, "checkout", "arn:aws:dynamodb:us-east-1:123456789012:table/orders/index/*", "*")
    shop.service(shop.revision(taskRoleArn=own))
    role = trusting(shop, "worker", "arn:aws:s3:::invoices/*", "arn:aws:dynamodb:*:*:table/other", managed=True)
    shop.service(shop.revision(family="worker", taskRoleArn=role), name="worker")
    graph = await provider.discover()
    assert edges(graph, "checkout-api") == {"orders": ["task role"]}
    assert edges(graph, "worker") == {"invoices": ["task role"]}
    assert graph.service("somebody-elses") is None


async def test_gateways_before_functions_and_load_balancers(shop: Shop, provider: AwsProvider) -> None:
    shop.function()
    function = shop.client("lambda").get_function_configuration(FunctionName="receipts")["FunctionArn"]
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
    rest = shop.client("apigateway")
    api = rest.create_rest_api(name="receipts-rest", tags={"team": "billing"})["id"]
    root = rest.get_resources(restApiId=api)["items"][0]["id"]
    rest.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    rest.put_integration(
        restApiId=api, resourceId=root, httpMethod="GET", type="AWS_PROXY", integrationHttpMethod="POST", uri=uri
    )
    http = shop.client("apigatewayv2")
    told = http.create_api(Name="receipts-http", ProtocolType="HTTP")
    http.create_integration(ApiId=told["ApiId"], IntegrationType="AWS_PROXY", IntegrationUri=function)
    shop.service(shop.revision(environment={"RECEIPTS": told["ApiEndpoint"] + "/v1"}))
    graph = await provider.discover()
    assert edges(graph, "receipts-rest") == {"receipts": ["integration"]}
    assert edges(graph, "receipts-http") == {"receipts": ["integration"]}
    assert edges(graph, "checkout-api") == {"receipts-http": ["environment RECEIPTS"]}
    found = graph.service("receipts-rest")
    assert found is not None
    assert found.owner == "billing"


async def test_a_host_in_a_listener_rule_and_its_other_names_in_route_53_lead_to_the_service_behind(
    shop: Shop, provider: AwsProvider
) -> None:
    one, _, _ = shop.balanced()
    elb = shop.client("elbv2")
    balancer = elb.describe_load_balancers()["LoadBalancers"][0]
    listener = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"][0]["ListenerArn"]
    two = elb.create_target_group(Name="search", Protocol="HTTP", Port=80, VpcId=shop.vpc)["TargetGroups"][0]
    for priority, host, arn in ((1, "buy.shop.example", one), (2, "find.shop.example", two["TargetGroupArn"])):
        elb.create_rule(
            ListenerArn=listener,
            Priority=priority,
            Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [host]}}],
            Actions=[{"Type": "forward", "TargetGroupArn": arn}],
        )
    listed = {"containerName": "app", "containerPort": 80}
    shop.service(shop.revision(), loadBalancers=[{"targetGroupArn": one, **listed}])
    environment = {"CHECKOUT": "https://buy.shop.example/v2", "FRONT": "https://all.shop.example"}
    shop.service(
        shop.revision(family="search", environment=environment),
        name="search",
        loadBalancers=[{"targetGroupArn": two["TargetGroupArn"], **listed}],
    )
    route = shop.client("route53")
    zone = route.create_hosted_zone(Name="shop.example", CallerReference="1")["HostedZone"]["Id"]
    alias = {"DNSName": f"dualstack.{balancer['DNSName']}.", "HostedZoneId": "Z1", "EvaluateTargetHealth": False}
    change = {"Action": "CREATE", "ResourceRecordSet": {"Name": "all.shop.example", "Type": "A", "AliasTarget": alias}}
    route.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})
    graph = await provider.discover()
    assert edges(graph, "search") == {"checkout-api": ["environment CHECKOUT"], "front": ["environment FRONT"]}
    assert set(edges(graph, "front")) == {"checkout-api", "search"}


async def test_names_in_cloud_map_and_of_service_connect(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """Service Connect is answered by the stand-in: moto keeps none of it."""
    cloud_map = shop.client("servicediscovery")
    cloud_map.create_private_dns_namespace(Name="internal.example", Vpc="vpc-1")
    [space] = cloud_map.list_namespaces()["Namespaces"]
    registry = cloud_map.create_service(
        Name="prices", DnsConfig={"NamespaceId": space["Id"], "DnsRecords": [{"Type": "A", "TTL": 10}]}
    )["Service"]["Arn"]
    shop.service(shop.revision(environment={"RATES": "http://prices.internal.example"}))
    shop.service(shop.revision(family="pricing-api"), name="pricing-api", serviceRegistries=[{"registryArn": registry}])
    found = shop.client("ecs").describe_services(cluster="prod", services=["checkout-api", "pricing-api"])["services"]
    connect = {"namespace": "mesh", "services": [{"clientAliases": [{"dnsName": "till", "port": 80}]}]}
    found[0]["deployments"] = [{"serviceConnectConfiguration": connect}]
    found[1]["serviceRegistries"] = [{"registryArn": registry}]
    kiosk = shop.revision(family="kiosk", environment={"TILL": "http://till:80"})
    found.append(found[1] | {"serviceName": "kiosk", "taskDefinition": kiosk})
    found[2]["serviceRegistries"] = []
    aws.says("DescribeServices", {"services": json.loads(json.dumps(found, default=str))})
    graph = await provider.discover()
    assert edges(graph, "checkout-api") == {"pricing-api": ["environment RATES"]}
    assert edges(graph, "kiosk") == {"checkout-api": ["environment TILL"]}


async def test_other_doors_to_a_database_and_the_secret_that_opens_it(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    rds = shop.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="orders", Engine="aurora-postgresql", MasterUsername="u", MasterUserPassword="p" * 12
    )
    rds.create_db_instance(
        DBInstanceIdentifier="orders-1", Engine="aurora-postgresql", DBInstanceClass="db.r6g.large",
        DBClusterIdentifier="orders",
    )  # fmt: skip
    reader = rds.describe_db_clusters()["DBClusters"][0]["ReaderEndpoint"]
    shop.client("elasticache").create_replication_group(
        ReplicationGroupId="sessions", ReplicationGroupDescription="s", Engine="redis", NumCacheClusters=1
    )
    [group] = shop.client("elasticache").describe_replication_groups()["ReplicationGroups"]
    cache = group["NodeGroups"][0]["PrimaryEndpoint"]["Address"]
    shop.database("billing")
    secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/billing/password-AbCdEf:password::"
    shop.service(shop.revision(environment={"READER": f"{reader}:5432", "CACHE": f"rediss://{cache}:6379"}))
    told = shop.client("ecs").describe_task_definition(taskDefinition="checkout-api:1")["taskDefinition"]
    told["containerDefinitions"][0]["secrets"] = [{"name": "BILLING_PASSWORD", "valueFrom": secret}]
    aws.says("DescribeTaskDefinition", {"taskDefinition": json.loads(json.dumps(told, default=str))})
    graph = await provider.discover()
    assert edges(graph, "checkout-api") == {
        "billing": ["secret BILLING_PASSWORD?"],
        "orders": ["environment READER"],
        "sessions": ["environment CACHE"],
    }
    orders = graph.service("orders")
    assert orders is not None
    assert [each.key for each in orders.resources] == ["rds_cluster:orders", "rds_instance:orders-1"]


async def test_security_groups_are_a_guess_and_only_where_nothing_better_is_known(
    shop: Shop, provider: AwsProvider
) -> None:
    subnets, app = shop.network()
    ec2 = shop.client("ec2")
    guard = ec2.create_security_group(GroupName="db", Description="db", VpcId=shop.vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=guard,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": app}]},
            {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": guard}]},
        ],
    )
    host = shop.database("orders-db", VpcSecurityGroupIds=[guard])
    shop.database("other-db", VpcSecurityGroupIds=[guard])
    vpc = {"SubnetIds": subnets, "SecurityGroupIds": [app]}
    shop.function(VpcConfig=vpc)
    shop.function("knows", VpcConfig=vpc, Environment={"Variables": {"DB": host}})
    graph = await provider.discover()
    assert edges(graph, "receipts") == {"orders-db": ["security group?"], "other-db": ["security group?"]}
    assert edges(graph, "knows") == {"orders-db": ["environment DB"]}
    assert edges(graph, "orders-db") == {}


async def test_traces_join_what_is_known_and_name_nothing_else(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The stand-in answers for X-Ray, in the shape of GetServiceGraph."""
    shop.service(shop.revision())
    shop.service(shop.revision(family="pricing-api"), name="pricing-api")
    host = shop.database()
    called = [{"ReferenceId": 2}, {"ReferenceId": 3}, {"ReferenceId": 4}]
    nodes = [
        {"ReferenceId": 0, "Name": "checkout-api", "Type": "client", "Edges": [{"ReferenceId": 1}]},
        {"ReferenceId": 1, "Name": "checkout-api", "Type": "AWS::ECS::Container", "Edges": called},
        {"ReferenceId": 2, "Name": "pricing-api", "Type": "AWS::ECS::Container"},
        {"ReferenceId": 3, "Name": f"shop@{host}", "Type": "Database::SQL"},
        {"ReferenceId": 4, "Name": "api.acquirer.example", "Type": "remote"},
    ]
    aws.tells("xray", "GetServiceGraph", {"Services": nodes})
    graph = await provider.discover()
    assert edges(graph, "checkout-api") == {"pricing-api": ["trace"], "orders-db": ["trace"]}
    assert edges(graph, "pricing-api") == {}


async def test_machines_by_name_or_by_what_stands_before_them(shop: Shop, provider: AwsProvider) -> None:
    target, _, _ = shop.balanced("web")
    ec2, scaling = shop.client("ec2"), shop.client("autoscaling")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    tagged = [
        {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "batch"}, {"Key": "Team", "Value": "data"}]}
    ]
    ec2.run_instances(ImageId=image, MinCount=2, MaxCount=2, TagSpecifications=tagged)
    [plain] = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"]
    ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)
    shop.client("elbv2").register_targets(TargetGroupArn=target, Targets=[{"Id": plain["InstanceId"]}])
    scaling.create_launch_configuration(LaunchConfigurationName="l", ImageId=image, InstanceType="t3.micro")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="api-asg", LaunchConfigurationName="l", MinSize=1, MaxSize=1,
        AvailabilityZones=["us-east-1a"], Tags=[{"Key": "service", "Value": "api", "PropagateAtLaunch": True}],
    )  # fmt: skip
    graph = await provider.discover()
    batch, api, web = graph.service("batch"), graph.service("api"), graph.service(plain["InstanceId"])
    assert batch is not None
    assert (len(batch.resources), batch.owner) == (2, "data")
    assert api is not None
    assert [each.key for each in api.resources] == ["autoscaling_group:api-asg"]
    assert web is not None
    assert [each.key for each in web.resources] == [
        f"ec2_instance:{plain['InstanceId']}",
        "target_group:web",
        "load_balancer:front",
    ]
    assert len(list(graph)) == 3


@pytest.mark.parametrize(
    ("tags", "names", "group"),
    [
        ({"app": "shop"}, {"checkout-api", "pricing-api"}, "shop"),
        ({"service": "checkout"}, {"checkout"}, "prod"),
        ({"Service-Name": "checkout"}, {"checkout"}, "prod"),
        ({"aws:cloudformation:stack-name": "till"}, {"checkout-api", "pricing-api"}, "till"),
        ({}, {"checkout-api", "pricing-api"}, "prod"),
    ],
)
async def test_names_and_groups_come_from_tags_stacks_and_clusters(
    aws: StandIn, shop: Shop, provider: AwsProvider, tags: dict[str, str], names: set[str], group: str
) -> None:
    """The stand-in puts the tags on: nobody but CloudFormation may write its own."""
    shop.service(shop.revision())
    shop.service(shop.revision(family="pricing-api"), name="pricing-api")
    told = shop.client("ecs").describe_services(cluster="prod", services=["checkout-api", "pricing-api"])["services"]
    for each in told:
        each["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
    aws.says("DescribeServices", {"services": json.loads(json.dumps(told, default=str))})
    graph = await provider.discover()
    assert {each.name for each in graph} == names
    assert {each.group for each in graph} == {group}
