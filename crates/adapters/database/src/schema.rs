//! The columns, as both engines show them. Compiled once for each; only [`Moment`] differs.

pub(super) use super::dialect::Moment;

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::Moment;

    users (username) {
        username -> Text,
        display_name -> Nullable<Text>,
        email -> Nullable<Text>,
        password_hash -> Text,
        created_at -> Moment,
        activity_count -> BigInt,
        asset_count -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::Moment;

    activities (id) {
        id -> Text,
        log_index -> Nullable<BigInt>,
        actor -> Text,
        kind -> Text,
        content_hash -> Text,
        published_at -> Moment,
        document -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::Moment;

    assets (id) {
        id -> Text,
        name -> Text,
        content_hash -> Text,
        cid -> Nullable<Text>,
        owner -> Text,
        asset_type -> Text,
        description -> Nullable<Text>,
        tags -> Text,
        url -> Nullable<Text>,
        metadata -> Nullable<Text>,
        provenance -> Text,
        run_id -> Nullable<Text>,
        created_at -> Moment,
        updated_at -> Moment,
        revision -> BigInt,
        claim -> Text,
        deleted_at -> Nullable<Moment>,
        withdrawal -> Nullable<Text>,
        search_text -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use super::Moment;

    asset_tags (tag_key, created_at, asset_id) {
        tag_key -> Text,
        created_at -> Moment,
        asset_id -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};

    asset_inputs (input_hash, asset_id) {
        input_hash -> Text,
        asset_id -> Text,
        position -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use super::Moment;

    revoked_tokens (token_hash) {
        token_hash -> Text,
        expires_at -> Moment,
        revoked_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt};

    log_state (id) {
        id -> BigInt,
        size -> BigInt,
        assets -> BigInt,
        tree_size -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary};

    log_tiles (level, idx) {
        level -> BigInt,
        idx -> BigInt,
        hashes -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Text};
    use super::Moment;

    log_checkpoints (size) {
        size -> BigInt,
        root -> Binary,
        note -> Text,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::Moment;

    log_witnesses (witness) {
        witness -> Text,
        seen_size -> BigInt,
        cosigned_at -> Nullable<Moment>,
        failures -> BigInt,
        last_error -> Nullable<Text>,
        due_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use super::Moment;

    anchors (tree_size) {
        tree_size -> BigInt,
        from_index -> BigInt,
        root -> Binary,
        checkpoint -> Binary,
        nonces -> Binary,
        state -> Text,
        proof -> Nullable<Binary>,
        block_height -> Nullable<BigInt>,
        block_hash -> Nullable<Text>,
        block_time -> Nullable<BigInt>,
        confirmations -> Nullable<BigInt>,
        assurance -> Nullable<Text>,
        header_source -> Nullable<Text>,
        verified_at -> Nullable<Moment>,
        created_at -> Moment,
        stamped_at -> Nullable<Moment>,
        due_at -> Nullable<Moment>,
        revision -> BigInt,
        network -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use super::Moment;

    anchor_asks (tree_size, position) {
        tree_size -> BigInt,
        position -> BigInt,
        calendar -> Text,
        message -> Binary,
        standing -> Text,
        detail -> Nullable<Text>,
        failures -> BigInt,
        asked_at -> Nullable<Moment>,
        due_at -> Moment,
        answer -> Binary,
        verified -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Text};
    use super::Moment;

    witnessed_logs (origin) {
        origin -> Text,
        size -> BigInt,
        root -> Binary,
        note -> Text,
        seen_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use super::Moment;

    user_renderers (username, l1_server) {
        username -> Text,
        l1_server -> Text,
        attached_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use super::Moment;

    scoped_tokens (token_hash) {
        token_hash -> Text,
        username -> Text,
        l1_server -> Text,
        expires_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use super::Moment;

    invites (invite_hash) {
        invite_hash -> Text,
        created_at -> Moment,
        expires_at -> Moment,
        redeemed_by -> Nullable<Text>,
        redeemed_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use super::Moment;

    runs (l1_server, run_id) {
        l1_server -> Text,
        run_id -> Text,
        recorded_by -> Text,
        recorded_at -> Moment,
        output -> Text,
        report -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::Moment;

    jobs (id) {
        id -> Text,
        kind -> Text,
        payload -> Text,
        lane -> Text,
        subject -> Nullable<Text>,
        job_key -> Nullable<Text>,
        state -> Text,
        holder -> Nullable<Text>,
        attempts -> BigInt,
        run_at -> Moment,
        created_at -> Moment,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use super::Moment;

    remote_actors (id) {
        id -> Text,
        kind -> Text,
        username -> Nullable<Text>,
        name -> Nullable<Text>,
        inbox -> Text,
        shared_inbox -> Nullable<Text>,
        followers -> Nullable<Text>,
        fetched_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use super::Moment;

    remote_keys (id) {
        id -> Text,
        owner -> Text,
        position -> BigInt,
        form -> Text,
        material -> Text,
        fetched_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use super::Moment;

    followers (username, actor) {
        id -> Text,
        username -> Text,
        actor -> Text,
        origin -> Text,
        inbox -> Text,
        shared_inbox -> Nullable<Text>,
        inbox_host -> Text,
        request -> Text,
        state -> Text,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use super::Moment;

    following (username, actor) {
        id -> Text,
        username -> Text,
        actor -> Text,
        request -> Text,
        state -> Text,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use super::Moment;

    received_activities (id) {
        id -> Text,
        actor -> Text,
        kind -> Text,
        received_at -> Moment,
        signed_at -> Nullable<Moment>,
        is_reopened -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use super::Moment;

    remote_objects (object_id) {
        object_id -> Text,
        id -> Text,
        actor -> Text,
        kind -> Text,
        content_hash -> Nullable<Text>,
        provenance -> Nullable<Text>,
        name -> Nullable<Text>,
        content -> Nullable<Text>,
        published_at -> Nullable<Moment>,
        activity -> Text,
        document -> Text,
        proof_checked -> Bool,
        engine_checked -> Bool,
        received_at -> Moment,
        deleted_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use super::Moment;

    reactions (id) {
        id -> Text,
        actor -> Text,
        kind -> Text,
        target -> Text,
        activity -> Text,
        received_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use super::Moment;

    notices (id) {
        id -> Text,
        kind -> Text,
        actor -> Text,
        host -> Text,
        object -> Text,
        received_at -> Moment,
        document -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use super::Moment;

    domain_rules (pattern) {
        pattern -> Text,
        action -> Text,
        reason -> Nullable<Text>,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use super::Moment;

    fetches (what) {
        what -> Text,
        again_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use super::Moment;

    messages (id) {
        id -> Text,
        sender -> Text,
        created_at -> Moment,
        document -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::Moment;

    deliveries (activity, inbox) {
        activity -> Text,
        inbox -> Text,
        host -> Text,
        sender -> Text,
        state -> Text,
        attempts -> BigInt,
        next_at -> Moment,
        created_at -> Moment,
        last_status -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::Moment;

    peers (host) {
        host -> Text,
        due_at -> Nullable<Moment>,
        holder -> Nullable<Text>,
        lease_until -> Nullable<Moment>,
        failures -> BigInt,
        failing_since -> Nullable<Moment>,
        open_until -> Nullable<Moment>,
        scheme -> Nullable<Text>,
        scheme_known_at -> Nullable<Moment>,
        width -> BigInt,
        last_success_at -> Nullable<Moment>,
        last_error -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(assets, activities, asset_inputs, users);
