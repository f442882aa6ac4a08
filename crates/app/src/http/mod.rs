//! What every route shares: reading requests, writing answers, telling problems.

pub mod caller;
pub mod client_address;
pub mod document;
pub mod finish;
pub mod json;
pub mod list;
pub mod methods;
pub mod negotiation;
pub mod problem;
pub mod signed;
pub mod throttle;
pub mod trace;
