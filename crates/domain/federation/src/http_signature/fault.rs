use super::read::{Algorithm, KeyKind};

/// Why a request's signature is not accepted. The text may be shown to the peer: it says which component failed
/// and how, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// No header that would hold a signature.
    #[error("the request is not signed")]
    Unsigned,
    /// Longer than any honest one.
    #[error("the header `{0}` is too long")]
    TooLong(&'static str),
    /// Not what the scheme says such a header looks like.
    #[error("the header `{0}` is malformed")]
    Malformed(&'static str),
    /// Two headers where there can be one.
    #[error("the header `{0}` is there more than once")]
    Repeated(&'static str),
    /// RFC 9421: the two headers do not belong together.
    #[error("`Signature` has nothing under the label of `Signature-Input`")]
    Label,
    /// RFC 9421: more signatures than anybody needs.
    #[error("there are too many signatures")]
    TooManySignatures,
    /// More components than anybody needs.
    #[error("too many components are signed")]
    TooManyComponents,
    /// A component whose name cannot be a header's.
    #[error("a signed component has a name that is not allowed")]
    ComponentName,
    /// `(something)` or `@something` that is not known for requests.
    #[error("the signed component `{0}` is unknown")]
    UnknownComponent(String),
    /// RFC 9421: parameters change what is signed, and none is understood here.
    #[error("the parameter `{parameter}` of the signed component `{component}` is not supported")]
    ComponentParameter {
        /// The component.
        component: String,
        /// Its parameter.
        parameter: String,
    },
    /// Signed twice, so that nobody can tell which was meant.
    #[error("the component `{0}` is signed twice")]
    RepeatedComponent(String),
    /// Said to be signed, but not in the request.
    #[error("the signed component `{0}` is not in the request")]
    Absent(String),
    /// The value cannot be part of what is signed.
    #[error("the value of the signed component `{0}` has characters that are not allowed")]
    Value(String),
    /// A component that must be signed is not.
    #[error("the component `{0}` must be signed")]
    NotSigned(&'static str),
    /// A parameter that must be there is not.
    #[error("the parameter `{0}` of the signature is missing")]
    MissingParameter(&'static str),
    /// A parameter that means nothing.
    #[error("the parameter `{0}` of the signature is malformed")]
    Parameter(&'static str),
    /// cavage: given twice, so that nobody can tell which was meant.
    #[error("a parameter of the signature is there twice")]
    RepeatedParameter,
    /// The key's id cannot be looked up.
    #[error("the key's id must be an http or https URL of at most 2048 characters")]
    KeyId,
    /// Another way of signing.
    #[error("the signature's algorithm is not supported")]
    Algorithm,
    /// cavage: these two are only for algorithms that come from the key.
    #[error("the component `{0}` cannot be signed with the algorithm `rsa-sha256`")]
    TimeWithAlgorithm(&'static str),
    /// The `Date` header is signed but tells no time.
    #[error("the header `Date` is not a date")]
    Date,
    /// From the future.
    #[error("`{0}` is more than an hour ahead")]
    Early(&'static str),
    /// From the past.
    #[error("`{0}` is more than 12 hours old")]
    Late(&'static str),
    /// The sender itself gave it no longer.
    #[error("the signature has expired")]
    Expired,
    /// Signed for another server.
    #[error("the header `Host` does not name this server")]
    Host,
    /// A body that nothing vouches for.
    #[error("the request has a body but no `{0}`")]
    NoDigest(&'static str),
    /// Nothing in it is a digest.
    #[error("the header `{0}` is not a list of digests")]
    DigestMalformed(&'static str),
    /// Only digests of kinds that are not made here.
    #[error("the header `{0}` has neither SHA-256 nor SHA-512")]
    DigestUnsupported(&'static str),
    /// Another body was signed.
    #[error("the header `{0}` does not match the body")]
    DigestMismatch(&'static str),
    /// The key that was looked up cannot have made such a signature.
    #[error("the algorithm `{algorithm}` is not one of an {key} key")]
    KeyKind {
        /// What the signature says.
        algorithm: Algorithm,
        /// What the key is.
        key: KeyKind,
    },
    /// Everything is in its place, but another key or another request was signed.
    #[error("the signature does not match the request")]
    Mismatch,
}
