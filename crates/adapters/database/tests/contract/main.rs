//! What every store promises, tested on both engines: plain functions, and one macro that makes tests of them.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails panics")]

mod activities;
mod anchors;
mod assets;
mod attachments;
mod deliveries;
mod filters;
mod follows;
mod heard;
mod invites;
mod jobs;
mod lanes;
mod lineage;
mod log;
mod paging;
mod provenance;
mod races;
mod remote;
mod revocations;
mod search;
mod stored;
mod tree;
mod units;
mod users;
mod witness;
mod world;

macro_rules! contract {
    ($($module:ident: $($name:ident),+;)+) => {
        mod sqlite {
            $(mod $module {
                $(
                    #[tokio::test(flavor = "multi_thread")]
                    async fn $name() {
                        let (url, _folder) = artdag_database::testing::fresh_sqlite().await;
                        crate::$module::$name(artdag_database::open(&url, 8).await.unwrap()).await;
                    }
                )+
            })+
        }
        mod postgres {
            $(mod $module {
                $(
                    #[tokio::test(flavor = "multi_thread")]
                    async fn $name() {
                        let Some((url, _database)) = artdag_database::testing::fresh_postgres().await else { return };
                        crate::$module::$name(artdag_database::open(&url, 8).await.unwrap()).await;
                    }
                )+
            })+
        }
    };
}

contract! {
    activities:
        are_found_as_they_were_added,
        count_once_they_have_an_index,
        know_the_latest_about_a_content,
        tell_who_was_active;
    anchors:
        are_found_as_they_were_added,
        are_found_as_they_were_saved,
        keep_the_largest_that_the_domain_allows,
        begin_at_a_place_once,
        begin_where_another_was_given_up,
        begun_by_many_are_begun_once,
        are_saved_at_their_revision_only,
        saved_by_many_are_saved_once,
        are_found_by_the_places_they_have,
        prove_best_by_the_first_that_is_confirmed,
        are_listed_largest_first,
        are_due_longest_waiting_first,
        are_found_by_their_block,
        are_loaded_by_the_hundred,
        leave_nothing_when_rolled_back;
    assets:
        are_found_as_they_were_added,
        are_found_by_their_id_until_they_are_deleted,
        are_replaced_only_by_the_next_revision,
        are_buried_only_at_their_revision,
        leave_a_tombstone_until_the_name_is_taken_again,
        show_the_place_of_their_claim,
        keep_hostile_text,
        keep_the_largest_that_the_domain_allows,
        know_what_was_made_from_them,
        reserve_what_another_left_behind;
    attachments:
        are_listed_oldest_first_and_keep_their_time,
        take_their_tokens_with_them,
        tokens_are_revoked_without_one_and_once,
        expired_tokens_are_forgotten_by_the_sweep,
        never_lose_a_token_in_a_race,
        are_locked_by_one_at_a_time;
    deliveries:
        messages_are_found_as_they_were_added,
        are_listed_newest_first,
        that_fail_are_listed_for_their_sender,
        go_to_each_inbox_of_the_followers_once,
        go_where_the_follower_is_now,
        are_concluded_once,
        are_due_in_the_order_of_each_inbox,
        are_hurried_and_dropped;
    filters:
        alone,
        combined,
        count_no_further_than_is_cheap;
    follows:
        followers_are_listed_newest_first,
        followers_ask_again_and_go,
        an_accepted_follower_stays_so,
        a_follow_that_was_asked_for_anew_is_not_ended_for_the_old_one,
        followers_go_with_their_inbox,
        followed_actors_are_listed_newest_first,
        requests_are_answered_by_who_was_asked;
    heard:
        is_found_as_it_was_kept,
        is_changed_and_withdrawn_by_its_actor_alone,
        told_late_does_not_undo_a_change,
        forestalled_is_not_taken_from_its_actor,
        withdrawn_while_it_comes_is_withdrawn,
        claims_to_one_content_are_told_first_heard_first,
        claimants_are_told_with_what_they_are_worth,
        is_listed_for_who_follows;
    invites:
        are_good_once_and_until_they_expire,
        stay_good_when_the_registration_fails,
        are_redeemed_by_one_of_many,
        are_there_once,
        are_swept_when_expired_or_long_redeemed;
    jobs:
        are_listed_newest_first,
        are_claimed_longest_due_first_and_not_before_their_time,
        of_one_lane_wait_for_none_of_the_other,
        are_counted_by_what_they_are_about,
        pushed_earlier_about_the_same_are_found_oldest_first,
        go_to_another_when_the_lease_ends,
        can_be_postponed,
        can_be_buried_and_revived,
        exist_once_for_a_key,
        are_there_only_after_the_commit,
        are_shared_by_workers_without_one_done_twice_or_lost,
        pushed_by_many_with_one_key_are_one;
    lanes:
        are_claimed_by_standing_longest_due_first,
        go_to_another_when_the_lease_ends,
        keep_what_is_known_of_the_server,
        are_due_when_the_first_of_an_inbox_is,
        are_not_woken_while_the_breaker_is_open,
        with_mail_are_listed_by_host,
        given_back_while_mail_comes_are_due,
        woken_in_any_order_never_wait_for_each_other,
        never_leave_mail_behind_in_a_race;
    lineage:
        tells_of_each_asset,
        of_a_diamond_holds_each_once,
        of_a_chain_ends_at_the_depth,
        of_a_circle_ends,
        of_two_made_from_each_other_ends,
        shows_what_nobody_registered,
        does_not_follow_withdrawn_claims,
        keeps_the_nearest_when_there_are_too_many;
    log:
        gives_indexes_without_gaps_oldest_first,
        does_nothing_for_another_size,
        counts_for_actors_and_for_all,
        leases_are_held_by_one_until_they_end;
    paging:
        walks_both_ways_through_ties,
        counts_pages_too,
        takes_any_cursor;
    provenance:
        runs_are_found_as_they_were_added,
        runs_are_recorded_once,
        runs_are_recorded_anew_when_the_output_was_deleted,
        a_run_recorded_by_many_is_recorded_once;
    races:
        of_one_name_one_wins,
        of_one_hash_one_wins,
        an_input_is_not_deleted_under_what_is_made_from_it,
        sequencers_give_every_index_once,
        a_lease_goes_to_one,
        many_writers_all_succeed,
        read_then_write_both_commit;
    remote:
        actors_are_found_as_they_were_saved,
        actors_are_replaced_with_their_keys,
        a_key_stays_with_who_listed_it_first,
        an_actor_saved_by_many_has_the_keys_of_one,
        a_forgotten_actor_leaves_its_claims_alone,
        receipts_are_first_once,
        receipts_taken_down_by_many_are_first_once,
        a_follow_that_ended_counts_again_when_it_is_signed_later,
        notices_of_one_host_are_kept_up_to_a_number_a_day,
        reactions_are_counted_once_and_undone,
        notices_are_listed_newest_first,
        domain_rules_stand_once_for_a_pattern,
        a_fetch_is_claimed_by_one_until_it_may_be_again,
        a_fetch_claimed_by_many_is_claimed_once,
        what_is_old_is_swept;
    revocations:
        are_idempotent,
        are_swept_when_the_token_has_expired;
    search:
        finds_beginnings_of_words,
        follows_changes,
        takes_any_query;
    stored:
        rows_are_read_by_the_range,
        tiles_are_read_by_their_index,
        live_assets_come_with_their_claims;
    tree:
        is_found_as_it_was_written,
        has_nothing_beyond_its_end,
        advances_from_its_size_alone,
        is_advanced_by_one_of_many,
        checkpoints_are_listed_largest_first,
        checkpoints_stay_as_they_are,
        cosignatures_are_added_once,
        cosignatures_added_by_many_all_stay,
        witnesses_are_found_as_they_were_saved,
        documents_are_listed_in_the_logs_order,
        of_nothing_has_no_tiles;
    units:
        commit_makes_it_visible_and_rollback_forgets_it,
        are_not_seen_before_they_commit,
        survive_a_conflict,
        abandoned_keep_no_lock,
        abandoned_in_the_middle_of_a_statement_keep_no_lock,
        refuse_to_commit_after_a_failure,
        readers_abandoned_in_the_middle_do_no_harm,
        give_up_waiting_for_a_connection,
        answer_a_ping;
    users:
        are_found_as_they_were_added,
        take_a_name_once;
    witness:
        notes_only_what_follows_what_it_saw,
        begins_with_an_empty_log_too,
        sees_one_of_many_histories;
}
