"""The emulator is strict where AWS is: IAM holds, Lambdas see their package only, data stay when kept."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local.emulator import Emulator, run_emulator

PROBE = """
from importlib.util import find_spec
import os
def handler(event, context):
    return {"found": [name for name in event if find_spec(name)], "environment": sorted(os.environ)}
"""
LAMBDA_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with run_emulator(tmp_path, keep=False) as running:
        yield running


def probe_zip() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("probe.py", PROBE)
    return archive.getvalue()


def test_a_lambda_sees_nothing_of_the_emulator_and_its_starter(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = emulator.session()
    iam = session.client("iam", endpoint_url=emulator.endpoint)
    functions = session.client("lambda", endpoint_url=emulator.endpoint)
    role = iam.create_role(RoleName="probe", AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))["Role"]
    functions.create_function(
        FunctionName="probe",
        Runtime="python3.11",
        Handler="probe.handler",
        Role=role["Arn"],
        Code={"ZipFile": probe_zip()},
    )
    modules = ["json", "ministack", "botocore", "pydantic", "yaml", "pip", "local"]
    answer = functions.invoke(FunctionName="probe", Payload=json.dumps(modules))
    result = json.loads(answer["Payload"].read())
    assert result["found"] == ["json"]
    assert {"PYTEST_CURRENT_TEST", "VIRTUAL_ENV", "USER"}.isdisjoint(result["environment"])


def test_who_has_no_permission_gets_none(emulator: Emulator) -> None:
    session = emulator.session()
    iam = session.client("iam", endpoint_url=emulator.endpoint)
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    queues = session.client(
        "sqs",
        endpoint_url=emulator.endpoint,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    with pytest.raises(ClientError) as refusal:
        queues.create_queue(QueueName="forbidden")
    assert "not authorized to perform: sqs:" in str(refusal.value)


def test_what_is_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    endpoints = []
    for start in ("first", "second"):
        with run_emulator(tmp_path, keep=True) as emulator:
            endpoints.append(emulator.endpoint)
            s3 = emulator.session().client("s3", endpoint_url=emulator.endpoint)
            if start == "first":
                s3.create_bucket(Bucket="kept")
                s3.put_object(Bucket="kept", Key="note", Body=b"still here")
            assert s3.get_object(Bucket="kept", Key="note")["Body"].read() == b"still here"
    assert endpoints[0] == endpoints[1]
