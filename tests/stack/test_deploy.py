"""Deploying by change set: create, update, nothing to do, and a failure that says why."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.deploy import DeployError, deploy
from local.emulator import Emulator, run_emulator

QUEUE = {
    "Parameters": {"Wait": {"Type": "Number", "Default": 10}},
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": {"Ref": "Wait"}}}},
    "Outputs": {"QueueUrl": {"Value": {"Ref": "Queue"}}},
}
BROKEN = {
    "Resources": {
        "Name": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": "not-an-alias", "TargetKeyId": "none"},
        }
    }
}
CONFLICTING = {"Resources": {"Files": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "artefacts"}}}}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with run_emulator(tmp_path_factory.mktemp("aws"), keep=False) as running:
        yield running


def deploy_template(
    emulator: Emulator, folder: Path, template: object, stack: str, **parameters: str
) -> dict[str, str]:
    (folder / "sam.yaml").write_text(json.dumps(template))  # JSON is YAML too
    return deploy(
        emulator.session(),
        folder,
        stack=stack,
        bucket="artefacts",
        parameters=parameters,
        endpoint=emulator.endpoint,
    )


def wait_of(emulator: Emulator, url: str) -> str:
    queues = emulator.session().client("sqs", endpoint_url=emulator.endpoint)
    attributes = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    return str(attributes["VisibilityTimeout"])


def test_a_second_deploy_changes_in_place_and_a_third_keeps_its_parameters(
    emulator: Emulator, tmp_path: Path
) -> None:
    url = deploy_template(emulator, tmp_path, QUEUE, "changing")["QueueUrl"]
    assert wait_of(emulator, url) == "10"
    assert deploy_template(emulator, tmp_path, QUEUE, "changing", Wait="20") == {"QueueUrl": url}
    assert wait_of(emulator, url) == "20"
    assert deploy_template(emulator, tmp_path, QUEUE, "changing") == {"QueueUrl": url}
    assert wait_of(emulator, url) == "20"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (BROKEN, r"Name \(AWS::KMS::Alias\): .*must begin with alias/"),
        (CONFLICTING, r"Files \(AWS::S3::Bucket\): .*already exists"),
    ],
)
def test_a_failure_names_the_resource_and_the_reason(
    emulator: Emulator, tmp_path: Path, template: object, reason: str
) -> None:
    with pytest.raises(DeployError, match=reason):
        deploy_template(emulator, tmp_path, template, "failing")


def test_a_failed_first_deploy_can_be_repaired(emulator: Emulator, tmp_path: Path) -> None:
    with pytest.raises(DeployError):
        deploy_template(emulator, tmp_path, BROKEN, "repaired")
    assert deploy_template(emulator, tmp_path, QUEUE, "repaired")["QueueUrl"]
    cloudformation = emulator.session().client("cloudformation", endpoint_url=emulator.endpoint)
    # AWS refuses to update what was never created; the emulator would do it
    status = cloudformation.describe_stacks(StackName="repaired")["Stacks"][0]["StackStatus"]
    assert status == "CREATE_COMPLETE"


def test_an_unknown_parameter_is_refused(emulator: Emulator, tmp_path: Path) -> None:
    with pytest.raises(DeployError, match="no parameters named Speed"):
        deploy_template(emulator, tmp_path, QUEUE, "misspelt", Speed="9")
