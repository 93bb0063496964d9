//! Which function a method and a path lead to.

use std::collections::BTreeMap;

use axum::http::Method;
use percent_encoding::percent_decode_str;
use template::Route;

/// The route and the values of its path's placeholders. As with API Gateway, the route with the
/// most literal path wins, and its own method before `ANY`.
pub(super) fn find<'r>(
    routes: &'r [Route],
    method: &Method,
    path: &str,
) -> Option<(&'r Route, BTreeMap<String, String>)> {
    routes
        .iter()
        .filter(|route| route.method == method.as_str() || route.method == "ANY")
        .filter_map(|route| Some((route, matched(&route.path, path)?)))
        .max_by_key(|(route, _)| {
            let literal = route
                .path
                .split('/')
                .filter(|part| !part.starts_with('{'))
                .count();
            (literal, !route.path.contains("+}"), route.method != "ANY")
        })
}

/// Whether there is a route for `path`, with any method.
pub(super) fn has_path(routes: &[Route], path: &str) -> bool {
    routes
        .iter()
        .any(|route| matched(&route.path, path).is_some())
}

fn matched(pattern: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    let mut parts = path.split('/');
    for expected in pattern.split('/') {
        if let Some(name) = expected
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix("+}"))
        {
            let rest: Vec<_> = parts.by_ref().collect();
            let found = !rest.is_empty() && !rest.iter().all(|part| part.is_empty());
            parameters.insert(name.to_owned(), decoded(&rest.join("/")));
            return found.then_some(parameters);
        }
        let part = parts.next()?;
        match expected
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            Some(_) if part.is_empty() => return None,
            Some(name) => {
                parameters.insert(name.to_owned(), decoded(part));
            }
            None if part == expected => {}
            None => return None,
        }
    }
    parts.next().is_none().then_some(parameters)
}

/// Percent-decoded; `+` stands for itself in a path.
fn decoded(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> Route {
        Route {
            function: path.into(),
            method: method.into(),
            path: path.into(),
            signed_in: false,
        }
    }

    #[test]
    fn the_most_literal_path_wins_and_its_own_method_before_any() {
        let routes = [
            route("ANY", "/{proxy+}"),
            route("GET", "/products"),
            route("GET", "/products/{id}"),
            route("GET", "/products/new"),
            route("ANY", "/products/{id}"),
        ];
        let leads_to = |method: Method, path: &str| {
            find(&routes, &method, path)
                .map(|(route, _)| (route.method.as_str(), route.path.as_str()))
        };
        assert_eq!(
            leads_to(Method::GET, "/products"),
            Some(("GET", "/products"))
        );
        assert_eq!(
            leads_to(Method::GET, "/products/new"),
            Some(("GET", "/products/new"))
        );
        assert_eq!(
            leads_to(Method::GET, "/products/mug"),
            Some(("GET", "/products/{id}"))
        );
        assert_eq!(
            leads_to(Method::PUT, "/products/mug"),
            Some(("ANY", "/products/{id}"))
        );
        assert_eq!(
            leads_to(Method::GET, "/products/mug/x"),
            Some(("ANY", "/{proxy+}"))
        );
        assert_eq!(leads_to(Method::GET, "/"), None);
    }

    #[test]
    fn placeholders_are_decoded_and_never_empty() {
        let routes = [route("GET", "/products/{id}")];
        let id = |path: &str| {
            find(&routes, &Method::GET, path).map(|(_, parameters)| parameters["id"].clone())
        };
        assert_eq!(id("/products/a%20b+c%26d=e"), Some("a b+c&d=e".into()));
        assert_eq!(id("/products/"), None);
        assert_eq!(id("/products/a/"), None);
        assert_eq!(id("/products/a/b"), None);
    }
}
