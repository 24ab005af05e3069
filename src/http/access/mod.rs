//! Who asks and who may do what: what proxies say, logins, how often a login may fail, and which web pages may
//! change something. Works on plain values and knows no address.

mod auth;
mod forwarded;
mod login_limit;
mod origin;

pub(super) use auth::{Auth, Login};
pub(crate) use forwarded::ForwardedHeaders;
pub(super) use login_limit::PendingLogin;
pub(super) use origin::{Origin, OriginPolicy};
