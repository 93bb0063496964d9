//! Which modules a page's script needs. Without being told, a browser finds out module by module, a
//! round trip for each step.

use std::collections::BTreeSet;

use anyhow::Context as _;

use super::html;

/// The page with a hint for each module that its script imports. `read` reads a file of the site.
pub(super) fn preloaded(
    page: &str,
    read: impl Fn(&str) -> anyhow::Result<String>,
) -> anyhow::Result<String> {
    let script = page.split_once("<script type=\"module\" src=\"");
    let script = script.and_then(|(_, rest)| rest.split_once('"'));
    let Some((script, _)) = script else {
        return Ok(page.to_owned());
    };
    // The page for missing ones is shown at any address; it can wait.
    if script.starts_with('/') {
        return Ok(page.to_owned());
    }
    let mut known = BTreeSet::from([script.to_owned()]);
    let mut unread = vec![script.to_owned()];
    while let Some(path) = unread.pop() {
        for import in imports(&read(&path)?) {
            let import = resolved(&path, import)
                .with_context(|| format!("{path} imports {import}, which is not in the site"))?;
            if known.insert(import.clone()) {
                unread.push(import);
            }
        }
    }
    known.remove(script);
    let hints: String = known
        .iter()
        .map(|path| format!("    <link rel=\"modulepreload\" href=\"{path}\">\n"))
        .collect();
    html::before(page, "  </head>", &hints)
}

/// What the module imports in any case, as it says it.
fn imports(module: &str) -> impl Iterator<Item = &str> {
    let from = module.split(" from '").skip(1);
    let paths = from.filter_map(|rest| rest.split_once('\'').map(|(path, _)| path));
    // A comment may speak of a file with types, which no browser loads.
    paths.filter(|path| path.starts_with('.') && path.ends_with(".js"))
}

/// A relative path from a module, as one from the site's root; `None` if it leads out of it.
fn resolved(from: &str, to: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in to.split('/') {
        match part {
            "." => {}
            ".." => _ = parts.pop()?,
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_all_that_its_script_will_need() {
        let page = "<head>\n    <script type=\"module\" src=\"js/pages/a.js\"></script>\n  </head>";
        let read = |path: &str| {
            match path {
            "js/pages/a.js" => Ok("import { b } from '../b.js';\nawait import(`./x.js`);".into()),
            "js/b.js" => Ok("import {\n  c,\n} from './deep/c.js';\n".into()),
            "js/deep/c.js" => Ok("/** @import { C } from './c.d.ts' */\nimport { b } from '../b.js';\nexport default 1;".into()),
            other => Err(anyhow::anyhow!("{other} was not imported")),
        }
        };
        assert_eq!(
            preloaded(page, read).unwrap(),
            "<head>\n    <script type=\"module\" src=\"js/pages/a.js\"></script>\n    \
             <link rel=\"modulepreload\" href=\"js/b.js\">\n    \
             <link rel=\"modulepreload\" href=\"js/deep/c.js\">\n  </head>"
        );
    }

    #[test]
    fn nothing_outside_the_site_is_asked_for() {
        assert_eq!(resolved("js/a.js", "../../b.js"), None);
        assert_eq!(
            resolved("js/pages/a.js", "./b.js").as_deref(),
            Some("js/pages/b.js")
        );
    }
}
