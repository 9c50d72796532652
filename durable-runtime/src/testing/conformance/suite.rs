//! The list of checks, and the macro that makes tests of them.

pub use crate::conformance_suite as suite;

/// Makes a module of tests: every check, run against what the factory makes. The factory takes a
/// [`ManualClock`](crate::testing::ManualClock) and gives a future of a pair: an empty provider that goes by that
/// clock, and whatever must live as long as the provider. With `reopen:` a function that opens a closed provider again:
/// it takes the clock and the other half of the pair, and gives a future of the pair anew. A persistent provider must
/// have it. The crate that uses the macro needs `tokio` with `macros` and `rt`.
#[macro_export]
#[doc(hidden)]
macro_rules! conformance_suite {
    ($name:ident, $factory:expr $(,)?) => {
        $crate::conformance_suite! { @suite $name, $factory, |subject, kept| (subject, kept) }
    };
    ($name:ident, $factory:expr, reopen: $reopen:expr $(,)?) => {
        $crate::conformance_suite! { @suite $name, $factory, |subject, kept| (subject.reopened_by(kept, $reopen), ()) }
    };
    (@suite $name:ident, $factory:expr, |$subject:ident, $kept:ident| $prepare:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "the factory may use names of the module around")]
            use super::*;
            $crate::conformance_suite! { @checks ($factory) (|$subject, $kept| $prepare)
                atomicity: [
                    all_of_a_transaction_is_kept
                    nothing_of_a_refused_transaction_is_kept
                    a_refused_transaction_takes_nothing_away
                    ops_see_what_earlier_ops_did
                    a_commit_id_counts_once
                    a_commit_id_is_known_after_its_lease_ended
                    a_refused_commit_id_can_be_used_again
                    concurrent_starts_of_one_id_make_one
                    a_transaction_without_ops_is_kept
                    concurrent_transactions_of_many_instances_are_all_kept
                ]
                undone: [
                    an_undone_create_leaves_the_id_free
                    an_undone_append_leaves_its_place_free
                    an_undone_message_is_not_handed_out
                    an_undone_activity_is_not_handed_out
                    an_undone_acknowledgement_leaves_the_message
                    an_undone_end_of_work_leaves_it_leased
                    an_undone_retry_leaves_lease_and_data
                    an_undone_cancel_leaves_what_waits
                    an_undone_cancel_leaves_the_lease_of_a_worker
                    an_undone_value_leaves_the_one_before
                    an_undone_label_finds_nothing
                    an_undone_delete_leaves_everything
                    an_undone_release_leaves_the_lease
                    an_undone_execution_leaves_the_lease_of_the_one_before
                    an_undone_change_wakes_nobody
                ]
                places: [
                    a_wrong_execution_at_any_place_undoes_all
                    a_history_conflict_at_any_place_undoes_all
                    a_history_of_nobody_at_any_place_undoes_all
                    a_history_of_an_execution_to_come_at_any_place_undoes_all
                    a_value_of_nobody_at_any_place_undoes_all
                    a_label_of_nobody_at_any_place_undoes_all
                    an_acknowledgement_for_another_at_any_place_undoes_all
                    an_end_of_work_that_is_gone_at_any_place_undoes_all
                    a_retry_of_work_that_is_gone_at_any_place_undoes_all
                    a_release_of_nothing_at_any_place_undoes_all
                    a_lost_lease_undoes_each_op_on_its_own
                    giving_back_work_that_is_gone_at_any_place_undoes_all
                    a_noted_value_of_nobody_at_any_place_undoes_all
                    deleting_an_execution_to_come_at_any_place_undoes_all
                ]
                repeats: [
                    a_repeated_start_is_not_refused
                    a_repeated_execution_is_not_refused
                    a_repeated_append_adds_nothing
                    a_repeated_message_does_not_come_back_once_acknowledged
                    a_repeated_activity_does_not_come_back_once_done
                    a_repeated_end_of_work_is_answered_though_the_work_is_gone
                    a_repeated_retry_does_not_wait_again
                    a_repeated_cancel_spares_what_was_put_since
                    a_repeated_value_does_not_cover_a_later_one
                    a_repeated_delete_spares_what_was_made_since
                    a_repeated_release_does_not_end_the_next_lease
                    a_repeat_is_answered_after_its_instance_was_deleted
                    a_commit_id_counts_for_the_whole_store
                    a_commit_id_that_was_kept_is_answered_whatever_it_says_now
                    the_smallest_and_the_largest_commit_id_are_two
                    repeats_side_by_side_count_once
                    a_repeat_is_known_after_hundreds_of_others
                    a_refused_transaction_is_judged_anew_each_time
                    a_repeat_under_a_lease_that_passed_on_is_answered
                    a_repeated_note_does_not_cover_a_later_one
                    a_repeated_giving_back_does_not_end_the_next_lease
                    a_repeated_pruning_spares_what_was_written_since
                ]
                leases: [
                    a_lease_is_exclusive
                    each_fence_is_larger_than_all_before
                    an_older_fence_writes_nothing
                    an_expired_lease_writes_nothing
                    a_lease_lasts_from_the_moment_it_is_granted
                    a_renewed_lease_lasts_from_the_moment_it_is_renewed
                    an_expired_lease_cannot_be_renewed
                    a_forged_token_is_refused
                    acks_and_releases_need_the_fence
                    a_dropped_fetch_loses_nothing
                    final_dispositions_need_no_lease
                ]
                tokens: [
                    a_token_says_what_it_is_for_and_since_when
                    a_released_lease_writes_nothing
                    a_released_lease_cannot_be_renewed
                    a_lease_holds_over_many_transactions
                    a_transaction_does_not_prolong_its_lease
                    a_refused_transaction_does_not_end_its_lease
                    a_fence_leases_one_instance_and_may_write_to_others
                    an_activity_token_is_no_fence
                    a_turn_token_finishes_no_activity
                    a_token_of_a_deleted_instance_is_worthless_for_its_successor
                    the_leases_of_one_fetch_have_fences_of_their_own
                    a_lease_on_an_older_grant_is_worthless_even_if_renewed_in_between
                    work_without_a_lease_does_not_end_a_lease
                    who_is_overtaken_by_a_final_disposition_hears_of_a_conflict
                    cancelling_needs_no_lease
                    a_lease_of_no_length_writes_nothing
                    the_longest_lease_ends_with_the_time
                    a_clock_that_is_set_back_frees_no_lease
                    fences_grow_though_the_clock_is_set_back
                ]
                renewals: [
                    renewing_answers_in_the_order_asked
                    renewing_nothing_answers_nothing
                    renewing_hundreds_answers_each
                    a_renewal_may_shorten_a_lease
                    a_renewed_token_stays_the_same
                    renewing_one_lease_does_not_prolong_another
                    renewing_a_turn_does_not_prolong_its_activities
                    a_renewed_activity_is_not_handed_out
                    an_activity_lease_lasts_from_the_moment_it_is_granted
                    each_activity_lease_is_as_long_as_its_worker_asked
                    an_expired_activity_lease_cannot_be_renewed
                    an_expired_lease_without_messages_is_free
                ]
                turns: [
                    the_longest_ready_comes_first
                    what_is_released_with_messages_is_ready_again
                    what_is_released_without_messages_is_not_ready
                    a_delay_holds_everything_back
                    messages_that_arrive_during_a_turn_bring_the_next
                    one_instance_can_be_asked_for
                    an_instance_that_does_not_exist_can_be_leased
                    no_more_than_asked_for
                    a_turn_says_where_the_history_ends
                ]
                dues: [
                    a_turn_holds_what_is_visible_and_no_more
                    a_turn_holds_its_own_messages_only
                    hundreds_of_messages_come_in_one_turn
                    what_comes_due_during_a_turn_brings_the_next
                    what_is_cancelled_during_a_turn_brings_none
                    a_turn_can_send_to_itself
                    a_turn_can_take_back_what_it_sent
                    asking_for_one_instance_does_not_wait
                    asking_for_one_instance_hands_over_its_messages
                    asking_for_one_instance_without_messages_counts_no_attempt
                    a_lease_on_nothing_leaves_nothing
                    a_delay_holds_an_asked_for_instances_messages_back
                    a_delay_of_nothing_is_none
                    a_delay_holds_nobody_else_back
                    a_delay_counts_once
                    a_delay_holds_back_what_is_sent_with_it
                    a_delay_holds_the_next_execution_back
                    the_last_release_of_a_transaction_counts
                    the_longest_delay_does_not_overflow
                    an_overdue_message_is_there_at_once_and_first
                    a_message_for_the_end_of_time_waits_for_it
                    a_message_says_since_when_it_is_visible
                    a_clock_that_is_set_back_hides_what_is_not_due
                    a_clock_that_jumps_ahead_fires_each_timer_once
                    a_timer_moved_by_cancelling_fires_at_its_new_time
                    attempts_belong_to_messages
                ]
                workers: [
                    ten_workers_share_all_ready_instances
                    ten_workers_that_want_one_get_one_each
                    one_worker_can_have_all_that_is_ready
                    ten_workers_share_all_activities
                    ten_waiting_workers_share_what_comes_together
                    ten_waiting_workers_share_activities_that_come_together
                    workers_that_ask_for_one_instance_get_one_lease
                    a_leased_instance_does_not_stand_before_others
                    a_busy_instance_does_not_starve_the_others
                    a_long_queue_of_one_instance_does_not_delay_anothers_activity
                    senders_side_by_side_lose_no_message
                    senders_of_one_message_leave_one
                    writers_of_one_history_leave_no_gap_and_no_double
                    a_lease_is_released_or_lost_but_not_both
                    an_activity_is_finished_once_by_many_hands
                ]
                waits: [
                    a_waiting_fetch_is_woken_by_a_message
                    a_waiting_fetch_is_woken_by_an_activity
                    a_waiting_fetch_is_woken_when_a_message_comes_due
                    a_waiting_fetch_is_woken_by_a_release
                    a_waiting_fetch_is_woken_when_a_lease_expires
                    a_fetch_gives_up_when_its_time_is_over
                    several_waiting_fetches_share_what_comes
                    a_change_of_the_record_wakes
                    what_has_changed_already_is_answered_at_once
                    a_wait_for_change_gives_up_when_its_time_is_over
                    a_closed_store_says_so
                ]
                patience: [
                    a_worker_is_woken_when_an_activity_comes_due
                    a_worker_is_woken_when_a_lease_expires
                    a_worker_is_woken_by_a_retry
                    a_worker_is_woken_when_a_retry_comes_due
                    a_worker_is_not_woken_by_work_for_others
                    a_worker_gives_up_when_its_time_is_over
                    a_fetch_is_woken_when_a_delay_ends
                    a_fetch_is_woken_by_what_another_turn_sends
                    a_fetch_is_not_woken_by_a_message_for_later
                    a_fetch_is_not_woken_by_messages_for_who_is_leased
                    a_fetch_is_woken_by_an_earlier_message_than_the_one_it_waits_for
                    no_wait_is_no_wait
                    all_who_wait_for_a_change_are_woken
                    a_change_of_another_wakes_nobody
                    a_next_execution_is_a_change
                    a_wait_for_what_is_not_there_ends_with_its_start
                    a_wait_for_what_is_gone_is_answered_at_once
                ]
                queues: [
                    messages_come_in_order_of_visibility
                    a_message_that_is_there_stays_as_it_is
                    a_message_is_handed_out_until_it_is_acknowledged
                    messages_before_the_instance_exists_are_kept
                    a_cancelled_message_is_not_handed_out
                    a_message_for_later_is_not_early
                    an_id_can_be_used_again_after_its_message_is_gone
                    acknowledging_what_is_gone_is_fine
                    attempts_are_counted
                ]
                activities: [
                    activities_come_in_order
                    a_worker_gets_the_topics_it_asks_for
                    a_tag_is_for_workers_that_ask_for_it
                    an_activity_has_a_lease_of_its_own
                    a_done_activity_is_gone
                    a_token_works_once
                    a_retried_activity_comes_back_later_and_changed
                    a_cancelled_activity_is_gone_for_its_worker
                    an_expired_activity_is_handed_out_again
                    an_activity_that_waits_can_be_cancelled
                    a_delayed_activity_is_not_early
                    an_activity_lease_is_independent_of_the_fence
                ]
                lanes: [
                    a_worker_without_topics_gets_nothing
                    several_topics_come_in_one_order
                    topics_are_compared_whole
                    tags_are_compared_whole
                    an_empty_tag_is_a_tag
                    a_tag_is_not_a_topic
                    many_tags_and_none_come_in_one_order
                    what_is_passed_over_is_not_counted
                    what_is_passed_over_does_not_stand_in_the_way
                    no_more_activities_than_asked_for
                    delayed_activities_come_in_the_order_of_their_times
                    an_activity_due_in_the_past_is_there_at_once_and_first
                    an_expired_activity_keeps_its_place
                    a_retried_activity_goes_behind_those_that_wait
                    a_retried_activity_keeps_its_topic_and_tag
                    instances_share_one_queue_in_the_order_of_arrival
                ]
                fairness: [
                    instances_take_turns_each_in_its_own_order
                    who_comes_later_waits_for_one_turn_of_each_at_most
                    who_had_a_turn_waits_for_those_who_had_none
                    what_is_given_back_counts_from_then
                    what_was_not_visible_takes_its_turn_when_it_is
                    a_fetch_of_many_takes_turns_too
                ]
                work: [
                    an_activity_that_is_there_stays_as_it_is
                    a_leased_activity_is_there_too
                    an_activity_id_can_be_used_again_once_it_is_done
                    one_id_in_two_instances_names_two_activities
                    an_activity_and_a_message_may_have_one_id
                    finishing_one_leaves_the_others_leased
                    an_activity_is_finished_or_put_back_but_not_both
                    an_activity_cancelled_by_the_same_transaction_is_gone
                    an_activity_deleted_by_the_same_transaction_is_gone
                    an_activity_put_and_cancelled_in_one_transaction_never_was
                    an_activity_cancelled_and_put_in_one_transaction_is_another
                    a_retry_without_delay_is_there_at_once
                    the_delay_of_a_retry_counts_from_the_transaction
                    the_longest_delay_of_a_retry_does_not_overflow
                    an_activity_that_waits_for_its_retry_can_be_cancelled
                    cancelling_many_leaves_the_rest
                    cancelling_in_one_instance_spares_another
                    an_activity_outlives_the_execution_that_asked_for_it
                    an_activity_token_names_the_execution_that_asked
                    the_end_of_work_and_its_message_are_one
                    attempts_are_counted_for_each_activity
                ]
                entries: [
                    values_are_kept_changed_and_taken_away
                    values_of_instances_and_prefixes_stay_apart
                    values_come_in_pages
                    values_raise_the_revision_once
                    values_need_their_instance
                    values_outlive_executions_and_restarts_and_go_with_the_instance
                    a_refused_transaction_changes_no_value
                ]
                filters: [
                    each_filter_finds_what_it_says
                    filters_and_labels_hold_together
                    filtered_pages_follow_each_other
                    what_a_label_was_finds_nothing
                    odd_and_long_labels_are_found_exactly
                ]
                sessions: [
                    the_first_taker_holds_a_session
                    without_a_wish_for_sessions_none_is_taken
                    a_session_outlives_its_work_until_its_time_is_over
                    use_and_renewal_prolong_a_session
                    a_waiting_fetch_is_woken_when_a_session_is_free
                    a_session_and_a_tag_must_both_fit
                    the_session_of_a_message_is_kept
                ]
                giving_back: [
                    an_abandoned_activity_is_first_again
                    an_abandoned_activity_waits_as_long_as_it_is_told
                    an_attempt_that_is_given_back_does_not_count
                    a_token_of_abandoned_work_is_worth_nothing
                    work_is_given_back_or_ended_in_one_transaction
                    a_turn_that_is_given_back_does_not_count
                    a_message_of_the_turn_that_is_given_back_may_be_acknowledged
                    a_lease_on_what_is_held_back_gives_back_nothing
                    a_turn_that_is_given_back_can_be_held_back
                    what_comes_during_a_turn_that_is_given_back_counts_from_one
                    attempts_go_on_over_restarts
                    attempts_given_back_are_so_after_a_restart
                    what_was_held_back_is_not_given_back
                    what_arrived_during_a_turn_is_not_given_back
                    an_attempt_is_given_back_once
                    an_attempt_is_given_back_into_the_next_execution
                ]
                waiting: [
                    what_waits_is_listed_in_order
                    who_has_what_is_said
                    a_lease_without_messages_is_seen_until_it_ends
                    executions_are_listed_with_their_length
                    an_older_execution_can_be_deleted
                    the_newest_execution_cannot_be_deleted
                    a_refused_transaction_deletes_no_execution
                ]
                executions: [
                    executions_count_from_one
                    continue_as_new_is_one_transaction
                    a_history_goes_on_where_it_ended
                    a_conflict_says_where_the_history_goes_on
                    a_history_needs_its_instance
                    histories_are_read_from_anywhere
                    a_history_without_events_is_empty
                    an_older_token_is_worthless_for_a_newer_execution
                ]
                generations: [
                    continue_as_new_multiexec
                    an_execution_is_new_until_its_first_event
                    execution_ids_count_up_by_one
                    there_is_no_execution_zero
                    an_execution_far_away_is_refused
                    a_finished_execution_can_still_be_written_to
                    each_history_counts_its_own_events
                    two_executions_can_open_in_one_transaction
                    of_many_that_open_the_next_execution_one_does
                    the_record_goes_on_over_executions
                    messages_wait_over_the_change_of_execution
                    a_message_for_an_older_execution_is_handed_out_all_the_same
                    the_transaction_that_opens_an_execution_goes_on_under_its_lease
                    opening_an_execution_of_another_does_not_end_this_lease
                    histories_of_many_executions_are_read_apart
                    executions_of_one_instance_are_not_those_of_another
                ]
                records: [
                    metadata_is_set_and_taken_away
                    the_revision_counts_transactions_that_change_the_record
                    labels_filter_the_list
                    pages_follow_each_other
                    a_record_of_nothing_cannot_be_changed
                    the_numbers_are_right
                ]
                lists: [
                    an_empty_value_is_not_none
                    the_last_value_of_a_transaction_counts
                    hundreds_of_keys_come_back_in_order
                    values_of_one_instance_are_not_those_of_another
                    keys_are_compared_exactly
                    taking_away_what_is_not_there_is_fine
                    a_refused_transaction_raises_no_revision
                    one_transaction_raises_a_revision_once
                    the_revision_of_one_is_not_raised_by_another
                    a_label_has_one_value
                    labels_are_compared_exactly
                    all_labels_asked_for_must_be_there
                    labels_that_look_alike_are_two
                    a_list_holds_whole_records
                    a_list_is_ordered_by_the_bytes_of_ids
                    an_empty_store_lists_nothing
                    a_page_goes_on_after_an_id_that_is_gone
                    what_is_made_between_two_pages_is_seen_if_it_comes_later
                    a_filter_reaches_over_many_pages
                ]
                deletion: [
                    a_deleted_instance_leaves_nothing
                    deleting_ends_leases
                    deleting_what_does_not_exist_is_fine
                    a_deleted_id_can_be_used_again
                    deleting_needs_no_lease
                    deleting_does_not_touch_others
                    an_instance_is_deleted_and_made_anew_in_one_transaction
                ]
                late: [
                    a_late_message_does_not_resurrect
                    a_late_event_is_refused
                    a_late_value_is_refused
                    a_late_execution_is_refused
                    a_late_end_of_work_reaches_nobody
                    a_late_turn_writes_nothing
                    a_successor_starts_clean
                    a_successor_counts_its_attempts_anew
                    a_successor_does_not_inherit_a_delay
                    an_instance_can_delete_itself_in_its_turn
                    deleting_twice_is_fine
                    the_order_of_deleting_and_sending_counts
                    deleting_many_in_one_transaction_leaves_the_rest
                    an_instance_with_thousands_of_records_is_deleted_whole
                    early_messages_keep_their_order
                    an_early_message_stays_though_nobody_ever_starts
                    an_early_message_can_be_for_later
                    an_instance_can_start_under_the_lease_that_an_early_message_brought
                    an_early_activity_is_handed_out
                ]
                counts: [
                    an_instance_counts_once_through_all_its_executions
                    a_message_makes_no_instance
                    what_is_there_already_is_not_counted_again
                    what_waits_for_its_time_counts
                    messages_count_until_they_are_acknowledged
                    cancelled_messages_do_not_count
                    a_leased_activity_counts_as_both
                    a_retried_activity_is_not_leased_and_still_counts
                    cancelling_leased_work_ends_its_lease_in_the_numbers
                    expired_leases_do_not_count
                    a_lease_on_nothing_counts_while_it_is_out
                    a_deleted_instance_takes_all_its_numbers_along
                    what_was_made_and_deleted_in_one_transaction_does_not_count
                    refused_and_repeated_transactions_do_not_count
                    work_that_is_given_back_is_not_leased_and_still_counts
                ]
                names: [
                    quotes_are_letters
                    fragments_of_queries_are_text
                    fragments_of_filters_are_text
                    slashes_lead_nowhere
                    dots_lead_nowhere
                    names_of_devices_are_names
                    upper_and_lower_case_are_two
                    forms_of_one_letter_are_several
                    what_cannot_be_seen_counts
                    letters_from_everywhere_come_back
                    encoded_names_are_not_decoded
                    a_name_that_begins_another_is_not_the_other
                    numbers_are_text
                    the_longest_names_differ_in_their_last_letter
                    control_characters_never_reach_a_store
                    keys_of_values_may_hold_anything
                    labels_may_hold_anything
                    topics_and_tags_may_hold_anything
                    long_keys_and_labels_come_back
                    keys_of_noted_values_may_hold_anything
                ]
                payloads: [
                    nothing_comes_back_as_nothing
                    every_byte_comes_back
                    bytes_that_are_no_text_come_back
                    zeros_come_back
                    deep_documents_come_back
                    documents_are_not_rewritten
                    two_mebibytes_come_back_everywhere
                    many_sizes_in_one_transaction_keep_their_places
                ]
                sizes: [
                    values_of_every_size_come_back
                    a_long_value_can_become_short
                    ten_thousand_items_in_one_transaction
                    hostile_ids_do_not_collide
                    the_longest_ids_work
                ]
                skills: [
                    what_a_worker_cannot_do_is_neither_leased_nor_counted
                    a_worker_that_can_do_it_gets_it_at_once
                    many_that_nobody_can_do_hold_up_nothing
                    one_that_does_not_exist_needs_what_its_messages_say
                    a_message_that_a_worker_can_do_is_enough
                    a_message_to_come_says_nothing_yet
                    what_is_needed_may_change
                    what_a_worker_leaves_alone_is_there_for_others
                    who_asks_for_one_instance_gets_it_whatever_it_needs
                    what_is_passed_over_is_listed_and_what_is_not_is_not
                    what_was_deleted_needs_nothing_when_it_comes_again
                    what_is_needed_is_known_after_a_restart
                ]
                dropped: [
                    a_dropped_transaction_is_kept_whole_or_not_at_all
                    a_dropped_wait_for_turns_takes_nothing
                    a_dropped_wait_for_activities_takes_nothing
                    a_turn_that_nobody_got_is_handed_out_again
                    a_lease_that_nobody_got_leaves_held_back_what_is
                    an_activity_that_nobody_got_is_handed_out_again
                    dropped_waits_for_a_change_leave_others_waiting
                    dropped_reads_leave_the_store_usable
                ]
                closing: [
                    every_call_is_refused_after_closing
                    closing_wakes_all_who_wait
                    closing_from_several_sides_is_fine
                    capabilities_are_known_also_when_closed
                    transactions_beside_the_closing_are_kept_or_refused
                    errors_name_what_they_are_about
                    what_breaks_a_rule_is_not_to_be_tried_again
                ]
                restarts: [
                    all_records_and_histories_are_there_again
                    messages_wait_in_their_order_again
                    activities_wait_in_their_order_again
                    a_retried_activity_is_there_again_as_it_was_changed
                    what_was_acknowledged_stays_away
                    what_was_deleted_stays_away
                    what_was_refused_does_not_appear
                    the_numbers_are_right_again
                    a_commit_id_is_known_again
                    fences_grow_over_restarts
                    a_lease_from_before_ends_at_its_time_at_the_latest
                    histories_and_executions_go_on_where_they_were
                    revisions_go_on_where_they_were
                ]
            }
        }
    };
    (@checks ($factory:expr) (|$subject:ident, $kept:ident| $prepare:expr)
        $($group:ident: [$($check:ident)*])*) => {
        $(mod $group {
            #[allow(unused_imports, reason = "the factory may use names of the module around")]
            use super::*;
            $(
                #[::tokio::test]
                async fn $check() {
                    let clock = $crate::testing::ManualClock::new();
                    let factory = $factory;
                    let ($subject, $kept) = factory(clock.clone()).await;
                    let $subject = $crate::testing::conformance::Subject::new($subject, clock);
                    let ($subject, _kept) = $prepare;
                    let check = $crate::testing::conformance::$group::$check($subject);
                    $crate::testing::conformance::in_time(check).await;
                }
            )*
        })*
    };
}
