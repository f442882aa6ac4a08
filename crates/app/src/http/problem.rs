//! Errors as clients see them: RFC 9457 problem details.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use artdag_kernel::StoreError;
use artdag_registry::LogError;
use serde::Serialize;
use serde_json::{Map, Value};
use std::error::Error;
use std::fmt;
use utoipa::ToSchema;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $slug:literal, $title:literal;)+) => {
        /// The kinds of problem. Each has a page in `docs/problems`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$doc])* $name,)+
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The status that goes with it.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// The last segment of its `type`.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)+ }
            }

            /// What it is, in a few words that never change.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

kinds! {
    /// The request is no sound HTTP, JSON or form.
    Malformed = BAD_REQUEST, "malformed-request", "The request cannot be read";
    /// No token, or one that is not accepted.
    Unauthorized = UNAUTHORIZED, "unauthorized", "You are not logged in";
    /// Another server's request is not signed, or not well.
    Signature = UNAUTHORIZED, "signature-refused", "The request's signature is not accepted";
    /// The operator does not speak with that server.
    Shunned = FORBIDDEN, "not-federated", "This server does not speak with yours";
    /// The token is good, the deed is not allowed.
    Forbidden = FORBIDDEN, "forbidden", "You may not do this";
    /// A token for one renderer was used for something else.
    Scope = FORBIDDEN, "insufficient-scope", "This token is not good for that";
    /// A cookie came with a request from another site.
    CrossOrigin = FORBIDDEN, "cross-origin", "The request came from another site";
    /// The operator takes no new accounts.
    RegistrationClosed = FORBIDDEN, "registration-closed", "Registration is closed";
    /// Registration is by invitation.
    InviteNeeded = FORBIDDEN, "invite-needed", "Registration is by invitation";
    /// The server named is not one of this registry's renderers.
    UnknownRenderer = FORBIDDEN, "unknown-renderer", "This is not a renderer of this registry";
    /// Nothing is there.
    NotFound = NOT_FOUND, "not-found", "There is nothing here";
    /// The path is right, the method is not.
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method-not-allowed", "This cannot be done here";
    /// Somebody has the name.
    Taken = CONFLICT, "name-taken", "The name is taken";
    /// Somebody claims the content.
    Claimed = CONFLICT, "content-claimed", "The content is claimed already";
    /// It belonged to a deleted asset of somebody else.
    Reserved = CONFLICT, "reserved", "The name or the content is reserved";
    /// Other assets need it.
    InUse = CONFLICT, "in-use", "Other assets were made from it";
    /// The run is not done yet, or failed.
    RunNotCompleted = CONFLICT, "run-not-completed", "The run is not completed";
    /// The run was recorded under another name or by somebody else.
    RunRecorded = CONFLICT, "run-recorded", "The run is recorded already";
    /// The operator has set nobody to stamp with.
    AnchoringOff = CONFLICT, "anchoring-off", "Nothing is stamped here";
    /// Two requests were in each other's way.
    Contended = CONFLICT, "contended", "Too many changes at once";
    /// It was deleted.
    Gone = GONE, "gone", "It was deleted";
    /// `If-Match` names another revision.
    Changed = PRECONDITION_FAILED, "changed", "It has changed since you read it";
    /// The body is over the limit.
    TooLarge = PAYLOAD_TOO_LARGE, "too-large", "The request is too large";
    /// The body is of another type than this route reads.
    MediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "This type of content is not read here";
    /// Well formed, but some fields cannot be taken.
    Invalid = UNPROCESSABLE_ENTITY, "invalid-fields", "Some fields cannot be taken";
    /// Too many attempts.
    TooMany = TOO_MANY_REQUESTS, "too-many-attempts", "Too many attempts";
    /// Our fault.
    Internal = INTERNAL_SERVER_ERROR, "internal-error", "Something went wrong here";
    /// A renderer gave no answer that can be used.
    RendererFailed = BAD_GATEWAY, "renderer-failed", "The renderer gave no usable answer";
    /// Another server gave no answer that can be used.
    PeerFailed = BAD_GATEWAY, "peer-failed", "The other server gave no usable answer";
    /// A renderer gave no answer in time.
    RendererSlow = GATEWAY_TIMEOUT, "renderer-slow", "The renderer did not answer in time";
    /// Nobody's fault, and over soon.
    Unavailable = SERVICE_UNAVAILABLE, "unavailable", "The server is busy";
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// A JSON pointer into the body, such as `/name`, or the name of a query parameter.
    #[schema(example = "/name")]
    pub field: String,
    /// What would be right.
    pub message: String,
}

/// A problem on its way to the client. The cause, if any, is for the log alone.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    detail: String,
    errors: Vec<FieldError>,
    members: Map<String, Value>,
    cause: Option<Box<dyn Error + Send + Sync>>,
    retry_after: Option<u64>,
}

/// RFC 9457 problem details.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemDetails {
    /// A URL that names the kind of problem and leads to its description.
    #[serde(rename = "type")]
    #[schema(example = "https://art.example/problems/name-taken")]
    pub kind: String,
    /// The kind in a few words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened, and what can be done about it.
    pub detail: String,
    /// The path of the request.
    pub instance: String,
    /// The fields that cannot be taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// More about this kind.
    #[serde(flatten)]
    #[schema(ignore)]
    pub members: Map<String, Value>,
}

impl Problem {
    /// A problem with a sentence for the person.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), members: Map::new(), cause: None, retry_after: None }
    }

    /// Fields that cannot be taken.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let all =
            errors.iter().map(|e| format!("{} {}", e.field.trim_start_matches('/'), e.message).trim_start().to_owned());
        let detail = all.collect::<Vec<_>>().join("; ");
        Self { errors, ..Self::new(Kind::Invalid, detail) }
    }

    /// One field that cannot be taken.
    pub fn invalid_field(field: impl Into<String>, message: impl ToString) -> Self {
        Self::invalid(vec![FieldError { field: field.into(), message: message.to_string() }])
    }

    /// Nothing is there; `what` completes "There is no ..".
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(Kind::NotFound, format!("There is no {what}."))
    }

    /// Our fault: the cause goes to the log.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let detail = "The fault is on this server's side and was logged. Its operator finds the cause by the x-request-id of this answer.";
        Self { cause: Some(cause.into()), ..Self::new(Kind::Internal, detail) }
    }

    /// Adds a member for programs.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }

    /// Tells after how many seconds to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Keeps what caused it for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// After how many seconds to try again, if that is known. What is over soon is worth another try at once.
    pub fn seconds_to_wait(&self) -> Option<u64> {
        self.retry_after.or((self.kind.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(1))
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What caused it.
    pub fn cause(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }

    /// The body, for a request to this path of the server at `base`.
    pub fn details(&self, base: &str, path: &str) -> ProblemDetails {
        ProblemDetails {
            kind: format!("{base}/problems/{}", self.kind.slug()),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: self.detail.clone(),
            instance: path.to_owned(),
            errors: self.errors.clone(),
            members: self.members.clone(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.status()
    }

    /// The head alone: [`super::finish`] writes the body, for which it takes the request.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Store(error) => error.into(),
            error => Self::internal(error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy(_) => Self {
                cause: Some(error.into()),
                ..Self::new(Kind::Unavailable, "The database is busy. Nothing was changed; try again in a moment.")
            },
            error => Self::internal(error),
        }
    }
}
