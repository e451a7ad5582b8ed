"""What comes twice is done once: ticks, messages, notifications, files."""

from concurrent.futures import ThreadPoolExecutor

from local.stack import Stack
from tests.doors.events import sqs_event, upload_notification
from tests.stack.altered import altered_build, run_at_once, trigger_off
from tests.stack.api import upload, wait_for
from tests.stack.customer import Customer, csv_file, orders_of

SLOW_HAND_OVER = """
import time as _time
from chalicelib.adapters.smtp import SmtpSender as _Channel

_deliver = _Channel.deliver


def _wait_and_deliver(self, *rest):
    _time.sleep(2)
    return _deliver(self, *rest)


_Channel.deliver = _wait_and_deliver
"""
SLOW_RELEASE = """
import time as _time
from chalicelib.flow import dispatch as _steps

_release = _steps.release_contacts


def _wait_and_release(*arguments):
    _time.sleep(1)
    return _release(*arguments)


_steps.release_contacts = _wait_and_release
"""


def test_visits_at_once_release_everybody_once(bench: Stack) -> None:
    customer = Customer.new(bench)
    campaign = customer.campaign()
    people = [f"person-{number}" for number in range(25)]
    customer.add(campaign, people)
    with altered_build(bench, "DispatchCampaign", SLOW_RELEASE), trigger_off(bench, "DispatchCampaign"):
        customer.launch(campaign)
        visit = {"account_id": customer.account_id, "campaign_id": campaign}
        run_at_once(bench, "DispatchCampaign", sqs_event(visit))
    totals = customer.finished(campaign)
    assert (totals["contacts"], totals["sent"]) == (25, 25)
    assert customer.received() == dict.fromkeys(people, 1)
    assert {contact["attempts"] for contact in customer.contacts(campaign)} == {1}


def test_senders_with_the_same_messages_at_once_send_once(bench: Stack) -> None:
    customer = Customer.new(bench)
    campaign = customer.campaign()
    people = ["one", "two", "three"]
    customer.add(campaign, people)
    with altered_build(bench, "SendEmails", SLOW_HAND_OVER), trigger_off(bench, "SendEmails"):
        customer.launch(campaign)
        customer.when(campaign, lambda t: t["pending"] == 3, "all are released")
        run_at_once(bench, "SendEmails", sqs_event(*orders_of(customer.rows(campaign))))
        assert customer.finished(campaign)["sent"] == 3
    assert customer.received() == dict.fromkeys(people, 1)


def test_messages_delivered_three_times_send_once(customer: Customer) -> None:
    campaign, others = customer.campaign(), in_queue(customer.stack, "SendQueue")
    people = [f"person-{number}" for number in range(12)]
    customer.add(campaign, people)
    with trigger_off(customer.stack, "SendEmails"):
        customer.launch(campaign)
        customer.when(campaign, lambda t: t["pending"] == 12, "all are released")
        for body in waiting_messages(customer.stack, "SendQueue", 12) * 3:
            customer.queue("SendQueue", body)
    totals = customer.finished(campaign)
    assert (totals["contacts"], totals["sent"]) == (12, 12)
    wait_for(lambda: in_queue(customer.stack, "SendQueue") <= others, "the copies are handled")
    assert customer.finished(campaign) == totals
    assert customer.received() == dict.fromkeys(people, 1)


def waiting_messages(stack: Stack, queue: str, count: int) -> list[str]:
    """Take so many messages off a queue."""
    client, url = stack.client("sqs"), stack.resource(queue)
    bodies: dict[str, str] = {}

    def take() -> bool:
        answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60)
        for message in answer.get("Messages", []):
            bodies[message["MessageId"]] = message["Body"]
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(bodies) == count

    wait_for(take, f"{count} messages wait")
    return list(bodies.values())


def in_queue(stack: Stack, queue: str) -> int:
    """Messages in a queue, those that somebody is at work on too; what was there before is not ours."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = stack.client("sqs").get_queue_attributes(QueueUrl=stack.resource(queue), AttributeNames=names)
    return sum(int(found["Attributes"][name]) for name in names)


def test_an_upload_notified_again_and_uploaded_again_adds_nobody_twice(customer: Customer) -> None:
    campaign, others = customer.campaign(), in_queue(customer.stack, "ImportQueue")
    file = csv_file(*(f"{customer.address(f'p{number}')},P,,,,," for number in range(200)))
    import_id, form = customer.form(campaign)
    assert upload(form, file).status == 204
    notification = upload_notification(f"uploads/{customer.account_id}/{campaign}/{import_id}")
    for _ in range(3):
        customer.queue("ImportQueue", notification)
    first = customer.ended(f"/imports/{import_id}")
    assert (first["rows"], first["added"], first["duplicates"]) == (200, 200, 0)
    assert upload(form, file).status == 204  # a form can be used again while it is good
    second = customer.import_file(campaign, file)
    assert (second["rows"], second["added"], second["duplicates"]) == (200, 0, 200)
    wait_for(lambda: in_queue(customer.stack, "ImportQueue") <= others, "the copies are handled")
    assert customer.api.get(f"/imports/{import_id}") | {"rejected_url": ""} == first | {"rejected_url": ""}
    customer.assert_totals_are_true(campaign)
    assert customer.totals(campaign)["contacts"] == 200


def test_imports_of_one_upload_at_once_count_every_row_once(customer: Customer) -> None:
    campaign = customer.campaign()
    import_id, form = customer.form(campaign)
    with trigger_off(customer.stack, "ImportUploads"):
        file = csv_file(*(f"{customer.address(f'p{number}')},P,,,,," for number in range(1_500)))
        assert upload(form, file).status == 204
        notification = upload_notification(f"uploads/{customer.account_id}/{campaign}/{import_id}")
        run_at_once(customer.stack, "ImportUploads", sqs_event(notification))
    job = customer.ended(f"/imports/{import_id}")
    assert (job["state"], job["rows"], job["added"], job["duplicates"]) == ("done", 1_500, 1_500, 0)
    assert customer.totals(campaign)["contacts"] == len(customer.rows(campaign)) == 1_500


def test_two_launches_at_once_are_one(customer: Customer) -> None:
    campaign = customer.campaign()
    customer.add(campaign, ["one", "two"])
    with ThreadPoolExecutor(4) as at_once:
        answers = list(
            at_once.map(lambda _: customer.api.call("POST", f"/campaigns/{campaign}/launch"), range(4))
        )
    assert {answer.status for answer in answers} <= {200, 409, 412}
    assert 200 in {answer.status for answer in answers}
    assert customer.finished(campaign)["sent"] == 2
    assert customer.received() == {"one": 1, "two": 1}
