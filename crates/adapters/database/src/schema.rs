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
        job_key -> Nullable<Text>,
        state -> Text,
        holder -> Nullable<Text>,
        attempts -> BigInt,
        run_at -> Moment,
        created_at -> Moment,
        last_error -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(assets, activities, asset_inputs, users);
