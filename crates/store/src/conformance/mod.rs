//! One suite that every engine must pass: named claims, each about one rule of the handles, and random sequences
//! of verbs compared with a naive model.
//!
//! An engine's test file says how to open an empty store; that is all:
//!
//! ```ignore
//! store::conformance!(|| Box::new(MyHarness::new()));
//! ```
//!
//! Each claim becomes a test of its own name. `PROPTEST_CASES` sets how many sequences are tried and
//! `PROPTEST_RNG_SEED` repeats those of a seed that a failure printed.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a claim that does not hold is a panic, as in any test"
)]

pub mod accounts;
pub mod arrivals;
pub mod copies;
pub mod flags;
pub mod folders;
mod harness;
mod letters;
pub mod model;
pub mod order;
pub mod reading;
pub mod settings;
mod trial;
pub mod waiting;

pub use harness::{End, Harness};

/// Makes one test of each claim. `$open` is called as a function and answers a `Box<dyn Harness>` with an empty store.
#[macro_export]
macro_rules! conformance {
    ($open:expr) => {
        $crate::conformance_tests! {
            ($open)
            accounts {
                a_new_account_has_its_special_folders_subscribed
                an_account_is_found_by_every_address_in_any_case
                an_address_is_taken_once
                addresses_need_an_accepted_domain
                a_refused_change_of_an_account_changes_nothing
                what_an_account_may_be_used_by_is_kept
                where_an_account_comes_from_is_kept
                the_right_to_open_a_mailbox_is_given_and_taken
                app_passwords_are_added_used_and_removed_one_by_one
                an_account_has_so_many_app_passwords_and_no_more
                a_password_is_replaced_only_while_it_is_the_one_that_was_meant
                accounts_come_in_the_order_of_their_addresses
                a_removed_account_is_gone_with_all_it_had
                account_numbers_are_never_used_again
                the_first_domain_is_the_default
                an_account_made_anew_has_higher_uid_validities
            }
            arrivals {
                a_message_is_there_once_accept_answers
                a_last_line_without_an_end_is_told
                one_accept_places_in_folders_of_several_accounts
                each_placement_has_its_own_prefix_flags_keywords_and_date
                a_retry_is_answered_with_the_first_placement
                a_delivery_id_outlives_its_message
                a_delivery_id_counts_within_one_accept
                a_delivery_id_belongs_to_one_account
                a_refused_placement_may_come_again
                without_a_delivery_id_every_placement_is_new
                a_placement_fails_for_itself_alone
                placements_that_go_together_are_made_all_or_none
                the_quota_holds_to_the_octet
                placements_of_one_accept_share_the_quota_in_their_order
                the_longest_prefix_is_taken_and_one_octet_more_refused
                bodies_that_are_not_accepted_leave_nothing
                the_announced_size_is_a_hint
                bodies_of_every_size_come_back
            }
            copies {
                an_expunged_message_frees_its_quota_and_stays_readable
                bodies_are_gone_after_their_retention
                a_copy_is_the_same_message_under_a_new_uid
                copying_is_all_or_nothing
                a_copy_into_the_same_folder_doubles_it
                a_moved_message_is_in_one_place
                moving_needs_no_quota
                a_move_within_one_folder_gives_new_uids
                a_missing_target_changes_nothing
                messages_changed_since_are_neither_expunged_nor_moved
            }
            flags {
                flags_are_added_removed_and_replaced
                keywords_are_compared_without_case
                messages_that_are_already_so_keep_their_modseq
                messages_changed_since_are_left_alone_and_named
                uids_that_do_not_exist_are_passed_over
                a_thousand_keywords_fit_into_a_folder
                a_keyword_too_many_changes_nothing
                flags_of_a_missing_folder_are_not_found
            }
            folders {
                missing_parents_are_made
                a_name_is_there_once
                a_rename_takes_children_uids_and_subscription_along
                a_rename_into_itself_is_refused
                renaming_inbox_moves_its_messages_and_leaves_it_empty
                inbox_and_parents_cannot_be_deleted
                a_deleted_folder_is_gone_with_its_messages
                a_folder_made_anew_has_a_higher_uid_validity
                subscriptions_outlive_their_folder
                what_is_missing_is_not_found
            }
            order {
                uids_ascend_and_are_never_used_again
                every_change_has_a_greater_modseq_than_all_before_it
                a_change_that_finds_nothing_is_none
                a_listing_held_does_not_change
                differences_lead_from_one_listing_to_the_next
                a_folder_of_many_pages_survives_being_thinned_out
            }
            reading {
                any_range_gives_exactly_its_octets
                a_range_past_the_end_is_empty
                outlines_come_in_the_order_asked
                an_unknown_message_is_an_error_of_its_own
            }
            settings {
                settings_change_together_and_stay
                a_snapshot_held_does_not_change
            }
            waiting {
                every_change_wakes_a_watch
                a_change_between_two_waits_is_not_lost
                a_watch_that_is_dropped_harms_nobody
                a_lease_is_held_once_and_given_back
                recent_messages_are_claimed_once
            }
            model {
                any_sequence_of_verbs_does_what_the_model_does
            }
        }
    };
}

/// See [`conformance!`](crate::conformance!).
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    (($open:expr) $($module:ident { $($claim:ident)* })*) => {
        $($(
            #[test]
            fn $claim() {
                $crate::conformance::$module::$claim(&|| ($open)());
            }
        )*)*
    };
}
