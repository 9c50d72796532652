//! What every provider owes, as checks: one async function each, given an empty provider.
//!
//! ```ignore
//! use durable_runtime::testing::conformance;
//!
//! // A provider that goes by the clock it is given, and whatever must live as long as it does.
//! conformance::suite!(memory, |clock| async { (MemoryProvider::with_clock(clock), ()) });
//! ```
//!
//! A check fails by panicking, and none sleeps: time is a value.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "checks are tests, and their names say what they check"
)]

mod kit;

pub mod activities;
pub mod atomicity;
pub mod deletion;
pub mod executions;
pub mod leases;
pub mod queues;
pub mod records;
pub mod sizes;
pub mod turns;
pub mod waits;

pub use self::kit::Subject;
pub use crate::conformance_suite as suite;

/// Makes a module of tests: every check, run against what the factory makes. The factory takes a
/// [`ManualClock`](crate::testing::ManualClock) and gives a future of a pair: an empty provider that goes by that
/// clock, and whatever must live as long as the provider. The crate that uses it needs `tokio` with `macros` and `rt`.
#[macro_export]
#[doc(hidden)]
macro_rules! conformance_suite {
    ($name:ident, $factory:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "the factory may use names of the module around")]
            use super::*;
            $crate::conformance_suite! { @checks ($factory)
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
                deletion: [
                    a_deleted_instance_leaves_nothing
                    deleting_ends_leases
                    deleting_what_does_not_exist_is_fine
                    a_deleted_id_can_be_used_again
                    deleting_needs_no_lease
                    deleting_does_not_touch_others
                    an_instance_is_deleted_and_made_anew_in_one_transaction
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
                records: [
                    metadata_is_set_and_taken_away
                    the_revision_counts_transactions_that_change_the_record
                    labels_filter_the_list
                    pages_follow_each_other
                    a_record_of_nothing_cannot_be_changed
                    the_numbers_are_right
                ]
                sizes: [
                    values_of_every_size_come_back
                    a_long_value_can_become_short
                    ten_thousand_items_in_one_transaction
                    hostile_ids_do_not_collide
                    the_longest_ids_work
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
            }
        }
    };
    (@checks ($factory:expr) $($group:ident: [$($check:ident)*])*) => {
        $(mod $group {
            #[allow(unused_imports, reason = "the factory may use names of the module around")]
            use super::*;
            $(
                #[::tokio::test]
                async fn $check() {
                    let clock = $crate::testing::ManualClock::new();
                    let factory = $factory;
                    let (provider, _kept) = factory(clock.clone()).await;
                    let subject = $crate::testing::conformance::Subject::new(provider, clock);
                    $crate::testing::conformance::$group::$check(subject).await;
                }
            )*
        })*
    };
}
