//! Which methods a route takes, and what is told to the others.

use tiny_http::{Method, Request};

use super::body::has_body;
use super::change;
use super::connection::Connection;
use super::recorded::Recorded;
use super::reply::{Code, Reply};
use super::route::Route;
use super::sender::Trust;
use super::target::route;

/// The methods of a route.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Methods {
    /// Value of the Allow header.
    pub(super) allow: &'static str,
    /// Whether a POST has a body, which is to be JSON.
    pub(super) has_body: bool,
}

/// Of what is only looked at.
const READ: Methods = Methods { allow: "GET, HEAD, OPTIONS", has_body: false };
/// Of what is only an order.
const CHANGE: Methods = Methods { allow: "POST, OPTIONS", has_body: false };
/// Of what can be looked at and changed.
const READ_AND_CHANGE: Methods = Methods { allow: "GET, HEAD, POST, OPTIONS", has_body: true };

impl Methods {
    fn of(route: &Route) -> Self {
        match route {
            Route::Controls => READ_AND_CHANGE,
            Route::Recorded(Recorded::Switch(_)) => CHANGE,
            _ => READ,
        }
    }

    fn take(self, method: &Method) -> bool {
        self.allow.split(", ").any(|name| name == method.as_str())
    }
}

/// Whether a request has a body that a worker will read, or refuse itself.
pub(super) fn wants_body(request: &Request) -> bool {
    *request.method() == Method::Post
        && Methods::of(&route(request.url(), None).route).has_body
        && has_body(request)
}

/// The reply to what is not even looked at further.
pub(super) fn refusal(client: &Connection, route: &Route, trust: Trust) -> Option<Reply> {
    let methods = Methods::of(route);
    match client.method() {
        Method::Options => Some(options(client, methods)),
        method if !methods.take(method) => Some(
            Reply::text(Code::MethodNotAllowed, &format!("use one of {}", methods.allow))
                .with("Allow", methods.allow),
        ),
        Method::Post => change::refusal(client, methods, trust),
        _ if client.has_body() => Some(Reply::text(Code::BadRequest, "a GET takes no body here")),
        _ => None,
    }
}

fn options(client: &Connection, methods: Methods) -> Reply {
    let asked = client.header("Access-Control-Request-Headers");
    Reply::text(Code::NoContent, "")
        .with("Allow", methods.allow)
        .with("Access-Control-Allow-Methods", methods.allow)
        .with("Access-Control-Allow-Headers", asked_headers(asked))
}

/// Header names that a preflight asks for, to be echoed: only if they are
/// nothing but names, so that no client writes headers of ours.
fn asked_headers(asked: Option<&str>) -> String {
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b"-_, ".contains(&b);
    asked.filter(|names| names.bytes().all(is_name)).unwrap_or("").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_taken_as_the_allow_header_says() {
        let take = |method: &str| READ_AND_CHANGE.take(&method.parse().unwrap());
        for method in ["GET", "HEAD", "POST", "OPTIONS"] {
            assert!(take(method), "{method}");
        }
        for method in ["PUT", "DELETE", "post", "PATCH", "CONNECT"] {
            assert!(!take(method), "{method}");
        }
        assert!(!READ.take(&Method::Post));
    }
}
