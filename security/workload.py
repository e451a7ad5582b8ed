"""The product at work: the days of customers that the tests of the deployed package live through.

Each scenario is one of `tests/stack`, with all it asserts, or one of `chores`. Together they make every
function do what it is for.
"""

from collections.abc import Callable
from functools import partial

from local.stack import Stack
from security import chores
from tests.name_server import NameServer
from tests.stack import (
    test_attachments,
    test_bounces,
    test_brakes,
    test_dialogs,
    test_dkim,
    test_events,
    test_guards,
    test_import_preview,
    test_links,
    test_pause_and_delete,
    test_people,
    test_personal_data,
    test_resend,
    test_samples,
    test_suppressions,
    test_variables,
)
from tests.stack.customer import Customer

OF_A_CUSTOMER: tuple[Callable[[Customer], None], ...] = (
    test_attachments.test_files_arrive_as_they_were_uploaded_or_are_downloaded_by_a_link,
    test_bounces.test_a_bounce_counts_whether_it_is_read_posted_or_received,
    test_brakes.test_bounces_pause_a_campaign_until_the_operator_lifts_its_brake,
    test_brakes.test_a_braked_line_gives_no_slot_and_the_other_line_goes_on,
    test_dialogs.test_dialogs_are_told_imported_and_written_to,
    test_events.test_events_move_contacts_and_totals_and_fill_the_suppression_list,
    test_guards.test_a_request_that_comes_again_is_answered_as_before,
    test_guards.test_a_limit_of_an_account_holds_until_something_is_removed,
    test_guards.test_imports_are_limited_by_their_number_bytes_and_contacts,
    test_guards.test_a_deleted_campaign_makes_room,
    test_import_preview.test_a_crm_export_is_previewed_corrected_and_imported,
    test_links.test_a_recipient_unsubscribes_with_one_click_and_by_nothing_less,
    test_links.test_a_new_key_seals_and_the_links_of_the_old_one_go_on_working,
    test_pause_and_delete.test_a_deleted_campaign_vanishes_with_all_its_rows_and_files,
    test_resend.test_a_second_launch_reaches_only_those_not_sent_to,
    test_samples.test_a_test_message_arrives_before_launch_as_its_preview_shows,
    test_suppressions.test_who_is_suppressed_while_the_campaign_is_in_progress_is_not_written_to,
    test_suppressions.test_a_list_goes_out_as_a_file_and_comes_back,
    test_pause_and_delete.test_a_file_that_comes_after_its_campaign_was_deleted_does_not_stay,
    test_pause_and_delete.test_a_pause_calls_back_what_waits_for_a_sender,
    test_variables.test_a_preflight_tells_what_is_missing_and_changes_nothing,
)


Scenario = tuple[str, Callable[[], None]]


def at_any_time(stack: Stack, name_server: NameServer) -> list[Scenario]:
    """What may go on side by side: the name of each, and how to run it."""
    of_a_customer = [
        (scenario.__name__, partial(_as_a_customer, stack, scenario))
        for scenario in (*OF_A_CUSTOMER, *chores.AT_ANY_TIME)
    ]
    signed = test_dkim.test_mail_of_a_published_domain_is_signed_and_a_verifier_agrees
    advised = test_dkim.test_the_advice_on_a_line_names_the_records_to_add
    by_dns = [
        (scenario.__name__, partial(_as_a_customer, stack, scenario, name_server))
        for scenario in (signed, advised)
    ]
    signed_up = test_people.test_people_sign_up_make_an_account_invite_and_leave_again
    by_people: list[Scenario] = [
        (scenario.__name__, partial(_of_a_person, stack, scenario))
        for scenario in (
            test_personal_data.test_a_person_is_told_all_and_then_forgotten_and_a_file_does_not_bring_them_back,
            test_personal_data.test_acts_are_in_the_trail_and_a_job_is_nobody_elses,
        )
    ]
    by_people.append((signed_up.__name__, partial(signed_up, stack)))
    return [*of_a_customer, *by_dns, *by_people]


def alone(stack: Stack) -> list[Scenario]:
    """What stops or changes a function for a while."""
    late = test_dialogs.test_a_job_that_dies_and_runs_out_of_time_goes_on_where_it_was
    given_up = [(chore.__name__, partial(_as_a_customer, stack, chore)) for chore in chores.ALONE]
    return [*given_up, (late.__name__, partial(late, stack))]


def _as_a_customer(stack: Stack, scenario: Callable[..., None], *more: object) -> None:
    scenario(Customer.new(stack), *more)


def _of_a_person(stack: Stack, scenario: Callable[[Stack, Customer], None]) -> None:
    scenario(stack, Customer.new(stack))
