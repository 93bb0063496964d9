//! Descriptions as HTML: of Markdown, paragraphs, lists, `code` and **bold**, which is all that the
//! contract uses.

/// Paragraphs and lists.
pub(super) fn html(text: &str) -> String {
    let blocks = text.split("\n\n").map(str::trim);
    blocks
        .filter(|block| !block.is_empty())
        .map(block)
        .collect()
}

/// One paragraph's text, without the paragraph.
pub(super) fn inline(text: &str) -> String {
    between(text, "`", "code", |text| {
        between(text, "**", "strong", escaped)
    })
}

/// Text that is not markup, also between quotation marks.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn block(block: &str) -> String {
    let Some(first) = block.strip_prefix("- ") else {
        return format!("<p>{}</p>", inline(block));
    };
    let items: String = first
        .split("\n- ")
        .map(|item| format!("<li>{}</li>", inline(item)))
        .collect();
    format!("<ul>{items}</ul>")
}

/// What is between two of `mark` becomes an element; `outside` says what the rest becomes.
fn between(text: &str, mark: &str, element: &str, outside: fn(&str) -> String) -> String {
    text.split(mark)
        .enumerate()
        .map(|(index, part)| match index % 2 {
            0 => outside(part),
            _ => format!("<{element}>{}</{element}>", escaped(part)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_become_paragraphs_and_lists_and_nothing_else_becomes_markup() {
        let text = "**Money** is an integer, < `a<b`.\nStill the first.\n\n- `one`: 1\n- two\n";
        assert_eq!(
            html(text),
            "<p><strong>Money</strong> is an integer, &lt; <code>a&lt;b</code>.\nStill the first.</p>\
             <ul><li><code>one</code>: 1</li><li>two</li></ul>"
        );
        assert_eq!(html("`**not bold**`"), "<p><code>**not bold**</code></p>");
    }
}
