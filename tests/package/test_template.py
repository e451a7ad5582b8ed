"""The packaged template: what AWS would be given, read as a whole."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from chalice.cli.factory import CLIFactory
from chalice.deploy.validate import validate_configuration

from chalicelib.blueprints.api.headers import EVERYWHERE
from chalicelib.domain.api_call import CALL_IS_OVER
from chalicelib.domain.brake import LIMITS
from chalicelib.domain.quota import Quota
from chalicelib.flow.dispatch import HORIZON, LEASE
from chalicelib.settings import Settings, Tables
from local.emulator import ROOT
from local.package import STAGE, package

Resources = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((package() / "sam.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def resources(template: dict[str, Any]) -> Resources:
    found: Resources = template["Resources"]
    return found


def of_type(resources: Resources, kind: str) -> Resources:
    return {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == kind}


def functions(resources: Resources) -> Resources:
    return of_type(resources, "AWS::Serverless::Function")


def queue_sources(resources: Resources) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The function, the queue and the properties of every trigger by a queue."""
    for name, function in functions(resources).items():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                queue = event["Properties"]["Queue"]["Fn::Sub"].removeprefix("${").removesuffix(".Arn}")
                yield name, queue, event["Properties"]


def test_every_queue_answers_message_by_message(resources: Resources) -> None:
    sources = list(queue_sources(resources))
    assert len(sources) == 11
    assert {
        name
        for name, _, source in sources
        if source.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]
    } == set()


def test_a_message_stays_out_of_sight_six_times_as_long_as_its_function_may_run(resources: Resources) -> None:
    queues = of_type(resources, "AWS::SQS::Queue")
    for name, queue, source in queue_sources(resources):
        window = source.get("MaximumBatchingWindowInSeconds", 0)
        assert queues[queue]["VisibilityTimeout"] >= 6 * functions(resources)[name]["Timeout"] + window, name


def test_a_release_outlives_the_send_queues_patience(resources: Resources) -> None:
    hidden = of_type(resources, "AWS::SQS::Queue")["SendQueue"]["VisibilityTimeout"]
    assert timedelta(seconds=hidden) + HORIZON < LEASE


def test_a_call_is_over_when_others_take_it_for_over(resources: Resources) -> None:
    assert timedelta(seconds=functions(resources)["APIHandler"]["Timeout"]) < CALL_IS_OVER


def test_every_queue_has_dead_letters_or_holds_them(resources: Resources) -> None:
    queues = of_type(resources, "AWS::SQS::Queue")
    targets = {
        name: queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for name, queue in queues.items()
        if "RedrivePolicy" in queue
    }
    assert queues.keys() - targets.keys() <= set(targets.values())
    read = {queue for _, queue, _ in queue_sources(resources)}
    assert read == targets.keys()
    assert all(5 <= queues[name]["RedrivePolicy"]["maxReceiveCount"] <= 10 for name in targets)
    assert all(queue["SqsManagedSseEnabled"] is True for queue in queues.values())
    assert all(queue["MessageRetentionPeriod"] == 14 * 24 * 3600 for queue in queues.values())


def test_every_function_has_a_role_of_its_own_with_the_policy_written_for_it(resources: Resources) -> None:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"][STAGE]["lambda_functions"]
    roles = {name: f["Role"]["Fn::GetAtt"][0] for name, f in functions(resources).items()}
    assert len(set(roles.values())) == len(roles) == len(config)
    for name, settings in config.items():
        logical = "".join(part.capitalize() for part in name.split("_")).replace("ApiHandler", "APIHandler")
        written = json.loads((ROOT / ".chalice" / settings["iam_policy_file"]).read_text())
        attached = [p["PolicyDocument"] for p in resources[roles[logical]]["Properties"]["Policies"]]
        assert attached == [written], name
        assert "ManagedPolicyArns" not in resources[roles[logical]]["Properties"]


def test_no_policy_of_a_function_holds_a_wildcard(resources: Resources) -> None:
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow"
                if statement["Resource"] == "*":
                    assert _several(statement["Action"]) == ["ses:GetAccount"], name
                assert [a for a in _several(statement["Action"]) if "*" in a] == [], name
                for resource in _several(statement["Resource"]):
                    assert _is_narrow(resource), (name, resource)


def test_nothing_is_allowed_to_a_function_twice(resources: Resources) -> None:
    """What two statements allow, either of them allows in vain: `make security` removes each in turn."""
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        allowed = Counter(
            (action, json.dumps(resource, sort_keys=True))
            for policy in role["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            for action in _several(statement["Action"])
            for resource in _several(statement["Resource"])
        )
        assert [pair for pair, times in allowed.items() if times > 1] == [], name


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_narrow(resource: Any) -> bool:
    """One resource of this stack, files under one prefix, an index, the function's own log, or SES's own.

    Identities and tenants come and go, and the quota (GetAccount) has no resource to name.
    """
    if resource == "*":
        return True
    if isinstance(resource, dict) and "Fn::GetAtt" in resource:
        return True
    text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else ""
    folders = ("uploads", "results", "samples", "inbound", "attachment-uploads", "attachments")
    starts = tuple(f"${{FileBucket.Arn}}/{name}/" for name in folders)
    ses = ":ses:${AWS::Region}:${AWS::AccountId}:"
    if ses in text:
        return text.split(ses)[1] in ("identity/*", "tenant/*", "configuration-set/${SesConfigurationSet}")
    own_log = ":log-group:/aws/lambda/${AWS::StackName}-"
    return text.startswith(starts) or own_log in text or ("/index/" in text and "*" not in text)


def test_a_function_may_read_a_password_only_where_mail_is_sent(resources: Resources) -> None:
    assert may(resources, "kms:Decrypt", "SecretKey") == {
        "ConnectLinesRole",
        "SendEmailsRole",
        "ReadBouncesRole",
    }
    assert may(resources, "kms:Encrypt", "SecretKey") == {"ApiHandlerRole"}
    assert may(resources, "dynamodb:Scan") == set()


def test_the_keys_of_links_are_read_where_links_are_made_and_followed(resources: Resources) -> None:
    """The API only reads links: it can't make a key, and its own key of KMS opens no password."""
    assert may(resources, "kms:Decrypt", "LinkKey") == {"ApiHandlerRole", "SendEmailsRole", "ReadBouncesRole"}
    assert may(resources, "kms:Encrypt", "LinkKey") == {"SendEmailsRole", "OperateServiceRole"}
    assert may(resources, "dynamodb:PutItem", "LinkKeyTable") == {"SendEmailsRole", "OperateServiceRole"}
    for action in ("dynamodb:DeleteItem", "dynamodb:UpdateItem"):
        assert may(resources, action, "LinkKeyTable") == set(), (
            "a key is there for as long as there are links"
        )


def test_only_the_api_seals_cursors_and_by_a_key_that_never_leaves_kms(resources: Resources) -> None:
    assert may(resources, "kms:GenerateMac", "CursorKey") == {"ApiHandlerRole"}
    key = resources["CursorKey"]["Properties"]
    assert (key["KeySpec"], key["KeyUsage"]) == ("HMAC_256", "GENERATE_VERIFY_MAC")


def may(resources: Resources, action: str, target: str | None = None) -> set[str]:
    """The roles that may do this, to this resource or to any."""
    return {
        name
        for name, role in of_type(resources, "AWS::IAM::Role").items()
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if action in statement["Action"]
        and (target is None or statement["Resource"] == {"Fn::GetAtt": [target, "Arn"]})
    }


def test_who_may_decrypt_secrets_opens_the_kinds_that_its_work_needs(resources: Resources) -> None:
    """KMS evaluates it, the emulator doesn't. A secret of another kind has another key in its context."""
    kinds = {
        name: statement["Condition"]["ForAllValues:StringEquals"]["kms:EncryptionContextKeys"]
        for name, role in of_type(resources, "AWS::IAM::Role").items()
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "kms:Decrypt" in statement["Action"]
        and statement["Resource"] == {"Fn::GetAtt": ["SecretKey", "Arn"]}
    }
    assert kinds == {
        "ConnectLinesRole": ["account", "line"],
        "ReadBouncesRole": ["account", "bounce_mailbox"],
        "SendEmailsRole": ["account", "line", "domain"],
    }


def test_files_are_private_encrypted_and_go_by_themselves(resources: Resources) -> None:
    for bucket in of_type(resources, "AWS::S3::Bucket").values():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert len(bucket["PublicAccessBlockConfiguration"]) == 4
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        expiring = {
            r.get("Prefix") for r in bucket["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in r
        }
        assert expiring == {"uploads/", "attachment-uploads/", "inbound/", "results/"}


def test_plain_http_is_refused_unless_somebody_says_otherwise(template: dict[str, Any]) -> None:
    statements = template["Resources"]["FileBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    condition, statement, otherwise = statements[0]["Fn::If"]
    assert (condition, otherwise) == ("TlsOnly", {"Ref": "AWS::NoValue"})
    assert (statement["Effect"], statement["Condition"]) == (
        "Deny",
        {"Bool": {"aws:SecureTransport": "false"}},
    )
    assert template["Parameters"]["TlsOnly"]["Default"] == "true"


def test_nobody_puts_mail_into_the_bucket_unless_somebody_says_so(template: dict[str, Any]) -> None:
    resources, parameters = template["Resources"], template["Parameters"]
    assert parameters["InboundDomain"]["Default"] == ""
    assert template["Conditions"]["InboundMail"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "InboundDomain"}, ""]}]
    }
    assert {resources[name]["Condition"] for name in ("InboundRuleSet", "InboundRule")} == {"InboundMail"}
    policy = resources["FileBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    ((condition, statement, _),) = (s["Fn::If"] for s in policy if s["Fn::If"][1]["Effect"] == "Allow")
    assert (condition, statement["Principal"]) == ("InboundMail", {"Service": "ses.amazonaws.com"})
    assert statement["Resource"] == {"Fn::Sub": "${FileBucket.Arn}/inbound/*"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    (action,) = resources["InboundRule"]["Properties"]["Rule"]["Actions"]
    assert action["S3Action"]["ObjectKeyPrefix"] == "inbound/"


def test_no_smtp_host_may_be_private_unless_somebody_says_so(template: dict[str, Any]) -> None:
    assert template["Parameters"]["SmtpPrivateHosts"]["Default"] == ""
    told = template["Globals"]["Function"]["Environment"]["Variables"]["SMTP_PRIVATE_HOSTS"]
    assert told == {"Ref": "SmtpPrivateHosts"}


def test_only_ses_may_publish_events_and_only_its_topic_may_queue_them(resources: Resources) -> None:
    (published,) = resources["SesEventTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (published["Principal"], published["Action"]) == ({"Service": "ses.amazonaws.com"}, "sns:Publish")
    assert published["Condition"]["StringEquals"]["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}
    source = published["Condition"]["StringEquals"]["aws:SourceArn"]["Fn::Sub"]
    assert source.endswith(":configuration-set/${SesConfigurationSet}")
    (queued,) = resources["SesEventQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert queued["Principal"] == {"Service": "sns.amazonaws.com"}
    assert queued["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "SesEventTopic"}}}


def test_ses_tells_everything_it_can_tell(resources: Resources) -> None:
    destination = resources["SesEventDestination"]["Properties"]["EventDestination"]
    assert len(destination["MatchingEventTypes"]) == 10
    assert destination["Enabled"] is True


def test_ses_is_amazons_unless_somebody_says_otherwise(template: dict[str, Any]) -> None:
    defaults = {name: template["Parameters"][name]["Default"] for name in ("SesEndpoint", "SesTenants")}
    assert defaults == {"SesEndpoint": "", "SesTenants": "false"}


def test_dns_is_the_systems_unless_somebody_says_otherwise(template: dict[str, Any]) -> None:
    assert template["Parameters"]["DnsServer"]["Default"] == ""
    told = template["Globals"]["Function"]["Environment"]["Variables"]["DNS_SERVER"]
    assert told == {"Ref": "DnsServer"}


def test_brakes_are_pulled_at_the_agreed_rates_unless_somebody_says_otherwise(
    template: dict[str, Any],
) -> None:
    told = template["Globals"]["Function"]["Environment"]["Variables"]
    limits = {limit.code: limit.pause * 100 for limit in LIMITS}
    for name, parameter, code in (
        ("BRAKE_BOUNCE_PERCENT", "BrakeBouncePercent", "bounce_rate"),
        ("BRAKE_COMPLAINT_PERCENT", "BrakeComplaintPercent", "complaint_rate"),
    ):
        assert told[name] == {"Ref": parameter}
        assert float(template["Parameters"][parameter]["Default"]) == pytest.approx(limits[code])


def test_tables_are_encrypted_can_be_restored_and_outlive_the_stack(resources: Resources) -> None:
    tables = of_type(resources, "AWS::DynamoDB::Table")
    assert len(tables) == len(fields(Tables))
    for name, properties in tables.items():
        assert properties["SSESpecification"] == {"SSEEnabled": True}
        assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert resources[name]["DeletionPolicy"] == resources[name]["UpdateReplacePolicy"] == "Retain"
    for key in ("SecretKey", "LinkKey"):
        assert resources[key]["DeletionPolicy"] == resources[key]["UpdateReplacePolicy"] == "Retain"
        assert resources[key]["Properties"]["EnableKeyRotation"] is True


def test_an_address_of_a_person_counts_only_once_it_is_proven(resources: Resources) -> None:
    pool = resources["UserPool"]["Properties"]
    assert pool["AutoVerifiedAttributes"] == ["email"]
    update = pool["UserAttributeUpdateSettings"]
    assert update["AttributesRequireVerificationBeforeUpdate"] == ["email"]
    client = resources["UserPoolClient"]["Properties"]
    assert client["WriteAttributes"] == ["email"]
    assert client["GenerateSecret"] is False
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    for name in ("UserPool", "UserPoolClient"):
        assert resources[name]["DeletionPolicy"] == resources[name]["UpdateReplacePolicy"] == "Retain"


def test_what_strangers_reach_without_a_key_is_throttled_and_can_answer_in_bytes(
    template: dict[str, Any],
) -> None:
    api = template["Resources"]["RestAPI"]["Properties"]
    open_to_all = {
        (method.upper(), path)
        for path, methods in api["DefinitionBody"]["paths"].items()
        for method, operation in methods.items()
        if method != "options" and not operation.get("security")
    }
    throttled = {
        (setting["HttpMethod"], setting["ResourcePath"].removeprefix("/").replace("~1", "/"))
        for setting in api["MethodSettings"]
        if 0 < setting["ThrottlingRateLimit"] <= setting["ThrottlingBurstLimit"] <= 1000
    }
    assert ("GET", "/o/{token}") in open_to_all
    assert throttled == open_to_all
    assert api["DefinitionBody"]["x-amazon-apigateway-binary-media-types"] == ["*/*"]


def test_every_other_method_is_throttled_for_the_whole_stage(resources: Resources) -> None:
    settings = resources["RestAPI"]["Properties"]["MethodSettings"]
    (stage,) = (one for one in settings if (one["ResourcePath"], one["HttpMethod"]) == ("/*", "*"))
    assert 0 < stage["ThrottlingRateLimit"] <= stage["ThrottlingBurstLimit"] <= 5_000


def test_what_the_gateway_says_by_itself_is_a_problem_that_nobody_keeps_or_guesses(
    template: dict[str, Any],
) -> None:
    answers = template["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "ACCESS_DENIED", "UNAUTHORIZED", "THROTTLED"} <= answers.keys()
    for answer in answers.values():
        headers = answer["ResponseParameters"]["Headers"]
        assert headers["Content-Type"] == "'application/problem+json'"
        assert headers["Cache-Control"] == "'no-store'"
        for name in ("Referrer-Policy", "Strict-Transport-Security", "X-Content-Type-Options"):
            assert headers[name] == f"'{EVERYWHERE[name]}'"
        condition, named, otherwise = headers["Access-Control-Allow-Origin"]["Fn::If"]
        assert (condition, otherwise) == ("SomeOrigin", "'https://nobody.invalid'")
        text, names = named["Fn::Sub"]
        assert text == "'${First}'"
        assert names["First"] == {"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "CorsOrigins"}]}]}


def test_no_page_of_another_origin_may_use_the_api_until_somebody_says_so(template: dict[str, Any]) -> None:
    parameter = template["Parameters"]["CorsOrigins"]
    told = functions(template["Resources"])["APIHandler"]["Environment"]["Variables"]["CORS_ORIGINS"]
    assert (parameter["Default"], told) == ("", {"Ref": "CorsOrigins"})
    allowed = re.compile(parameter["AllowedPattern"])
    assert all(allowed.fullmatch(text) for text in ("", "https://a.example,http://localhost:3000"))
    assert not any(allowed.fullmatch(text) for text in ("*", "a.example", "https://a.example/", "https://*"))


def test_there_is_no_public_url_until_somebody_gives_one(template: dict[str, Any]) -> None:
    assert template["Parameters"]["PublicUrl"]["Default"] == ""
    told = template["Globals"]["Function"]["Environment"]["Variables"]["PUBLIC_URL"]
    assert told == {"Ref": "PublicUrl"}


def test_every_function_is_told_of_the_tables_and_queues_that_it_reaches(template: dict[str, Any]) -> None:
    """Otherwise it says so at its first event, and never writes to a table without a name."""
    common = template["Globals"]["Function"]["Environment"]["Variables"]
    told_of_all = {name: "x" for name in common if name.startswith(("TABLE_", "QUEUE_"))}
    settings = Settings.from_environment(told_of_all)
    assert all(getattr(settings.tables, field.name) for field in fields(Tables) if field.name != "repeats")
    for name in told_of_all:
        with pytest.raises(ValueError, match=f"{name} is not set"):
            Settings.from_environment({**told_of_all, name: ""})
    for name, function in functions(template["Resources"]).items():
        own = {**common, **function.get("Environment", {}).get("Variables", {})}
        reached = set(re.findall(r"'(\w+Table)(?:'|\.Arn)", str(_policies_of(template, function))))
        assert reached <= {value["Ref"] for key, value in own.items() if key.startswith("TABLE_")}, name


def _policies_of(template: dict[str, Any], function: dict[str, Any]) -> Any:
    return template["Resources"][function["Role"]["Fn::GetAtt"][0]]["Properties"]["Policies"]


def test_the_operator_may_set_every_quota_of_the_deployment(template: dict[str, Any]) -> None:
    parameter = template["Parameters"]["Quotas"]
    told = functions(template["Resources"])["APIHandler"]["Environment"]["Variables"]["QUOTAS"]
    assert (parameter["Default"], told) == ("", {"Ref": "Quotas"})
    every = ",".join(f"{quota.value}=5" for quota in Quota)
    allowed = re.compile(parameter["AllowedPattern"])
    assert all(allowed.fullmatch(text) for text in ("", "lines=1", every))
    assert not any(allowed.fullmatch(text) for text in ("lines", "mails=5", "lines=-1", "lines=1 "))


def test_who_counts_and_who_keeps_answers_is_who_answers_requests(resources: Resources) -> None:
    assert may(resources, "dynamodb:UpdateItem", "UsageTable") == {
        "ApiHandlerRole",
        "PrepareAttachmentsRole",
        "RemoveCampaignsRole",
        "OperateServiceRole",
    }
    assert may(resources, "dynamodb:PutItem", "RepeatTable") == {"ApiHandlerRole"}


def test_cfn_lint_finds_nothing(tmp_path: Path) -> None:
    ran = subprocess.run(
        [str(Path(sys.executable).with_name("cfn-lint")), "--", str(package() / "sam.yaml")],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": os.defpath, "HOME": str(tmp_path), "AWS_DEFAULT_REGION": "us-east-1"},
    )
    assert (ran.returncode, ran.stdout) == (0, "")


@pytest.mark.filterwarnings("default")
def test_chalice_finds_its_configuration_valid() -> None:
    validate_configuration(CLIFactory(str(ROOT)).create_config_obj(STAGE))


def test_only_iam_leads_to_the_operators_function(template: dict[str, Any], resources: Resources) -> None:
    """No event, no route, no permission for a service or an account, and no function that may invoke it."""
    assert functions(resources)["OperateService"].get("Events", {}) == {}
    assert "OperateService" not in json.dumps(resources["RestAPI"])
    for permission in of_type(resources, "AWS::Lambda::Permission").values():
        assert "OperateService" not in json.dumps(permission)
    assert may(resources, "lambda:InvokeFunction") == set()
    assert "OperateService" not in json.dumps(template.get("Globals", {}))


def test_nobody_changes_what_is_written_in_the_audit_trail(resources: Resources) -> None:
    writers = {"ApiHandlerRole", "OperateServiceRole"}
    for action in ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query"):
        assert may(resources, action, "AuditTable") == writers
    for action in ("dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:Scan"):
        assert may(resources, action, "AuditTable") == set()
    assert resources["AuditTable"]["Properties"]["TimeToLiveSpecification"]["Enabled"] is True


def test_the_key_of_erased_addresses_is_read_where_they_are_asked_for(resources: Resources) -> None:
    assert may(resources, "kms:GenerateMac", "ErasureKey") == {
        "ApiHandlerRole",
        "DispatchCampaignRole",
        "ExportReportsRole",
        "ImportUploadsRole",
        "SendEmailsRole",
    }
    key = resources["ErasureKey"]
    assert key["DeletionPolicy"] == key["UpdateReplacePolicy"] == "Retain"
    assert "EnableKeyRotation" not in key["Properties"], "by another key nobody would recognise the erased"


def test_the_names_of_all_tables_and_queues_fit_into_a_functions_environment(
    template: dict[str, Any],
) -> None:
    """AWS allows 4 KB: counted with the longest names that CloudFormation makes for this stack."""
    common = template["Globals"]["Function"]["Environment"]["Variables"]
    for function in functions(template["Resources"]).values():
        names = {**common, **function.get("Environment", {}).get("Variables", {})}
        assert sum(len(name) + _longest(value) for name, value in names.items()) < 4_096


def _longest(value: Any) -> int:
    """A table's name, a queue's URL, an ARN, or what a person set."""
    if not isinstance(value, dict):
        return len(str(value))
    target = str(next(iter(value.values())))
    if "Queue" in target:
        return len("https://sqs.ap-southeast-1.amazonaws.com/123456789012/postline-") + len(target) + 13
    if "Key" in target and "Table" not in target:
        return len("arn:aws:kms:ap-southeast-1:123456789012:key/") + 36
    return len("postline-") + len(target) + 13 if "Table" in target or "Bucket" in target else 40
