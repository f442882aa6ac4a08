//! Calls to other servers: renderers, peers, witnesses, calendars, chains.
//!
//! Much of what this server fetches was named by somebody who must not decide where it connects: a renderer's
//! redirect, the `id` of a peer's actor, the name server of either. So everything that calls out does it through
//! one [`GuardedClient`], which
//!
//! - looks at the addresses that a host has at the moment of connecting, and connects to those very addresses.
//!   What lies in this machine, in the operator's network or nowhere is refused, in each of its spellings and
//!   wrappings; redirects and name servers that change their mind gain nothing.
//! - speaks `https` on port 443. What the operator's settings name is opened by [`GuardPolicy`], and only that.
//! - bounds time, size and redirects by [`Limits`], whatever the other side does.
//!
//! This crate must never follow a proxy from the environment, send a token or a signature to another server than
//! the one it was meant for, put more of an answer into an error than its media type, or be called while a
//! transaction is open.
//!
//! To add a caller: write an adapter like [`HttpRenderers`] that takes a clone of the client, builds URLs segment
//! by segment, says which types it [accepts](Request::accept), and turns each [`FetchError`] into an error of its
//! port. Servers that the operator configures go into the policy, where the app makes the client. Test it against
//! a real server on loopback, with `127.0.0.0/8` as an allowed network.
//!
//! ```
//! use artdag_http::{FetchError, GuardPolicy, GuardedClient, JSON, Refusal, Request};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = GuardedClient::builder(&"https://l2.example".parse()?, GuardPolicy::default()).build()?;
//! let request = Request::get("https://127.0.0.1/runs/1".parse()?).accept(JSON);
//! assert!(matches!(client.send(request).await, Err(FetchError::Refused(Refusal::Address(_)))));
//! # Ok(())
//! # }
//! ```

mod address;
mod body;
mod client;
mod connect;
mod error;
mod peers;
mod policy;
mod renderers;
mod request;
mod resolve;
mod tls;
mod witnesses;

pub use address::AddressKind;
pub use client::{ClientBuilder, ClientError, GuardedClient};
pub use error::{BoxError, FetchError, RedirectFault, SaidType};
pub use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
pub use ipnet::IpNet;
pub use peers::{HttpPeers, PeerLimits};
pub use policy::{GuardPolicy, Refusal};
pub use renderers::{HttpRenderers, RendererLimits};
pub use request::{Answer, JSON, Limits, Request};
pub use resolve::{Resolve, SystemResolver};
pub use witnesses::HttpWitnesses;
