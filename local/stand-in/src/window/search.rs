//! One field that finds everything.

use askama::Template;
use axum::extract::Query;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::webhook::event::Event;
use crate::window::events::EventRow;
use crate::window::frame::{Frame, Section, View};
use crate::window::json::section_of;
use crate::window::requests::{Choice, RequestRow};
use crate::window::scan::{Page, Scan};
use crate::window::summary::ObjectRow;
use crate::window::terms::Terms;
use crate::window::trouble::Trouble;

/// What is shown of each sort; its own page has more.
const MOST: usize = 10;

#[derive(Debug, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    q: String,
}

#[derive(Template)]
#[template(path = "window/search.html", config = "askama.toml")]
struct ResultsPage {
    frame: Frame,
    objects: Page<ObjectRow>,
    events: Page<EventRow>,
    requests: Page<RequestRow>,
}

impl ResultsPage {
    fn is_empty(&self) -> bool {
        self.objects.rows.is_empty() && self.events.rows.is_empty() && self.requests.rows.is_empty()
    }
}

pub(super) async fn search(
    view: View,
    Query(Typed { q }): Query<Typed>,
) -> Result<Response, Trouble> {
    let typed = q.trim();
    if typed.is_empty() {
        return Ok(view.back_to("requests").into_response());
    }
    if let Some(page) = page_of(&view, typed).await? {
        return Ok(Redirect::to(&page).into_response());
    }
    let terms = Terms::read(typed);
    let objects = Scan::of(None).with(&terms).newest(&view, None, MOST);
    let objects = objects.await?.map(ObjectRow::from);
    let events = Scan::of(Some(Event::KIND)).with(&terms);
    let events = events.newest(&view, None, MOST).await?;
    let wanted = Choice::containing(typed);
    let requests = move |transaction: &Transaction<'_>| wanted.find(transaction, MOST);
    let page = ResultsPage {
        objects,
        events: EventRow::all(&view, events).await?,
        requests: view.read(requests).await?,
        frame: view.frame(Section::Search, typed).await?,
    };
    Ok(Html(page.render()?).into_response())
}

/// The page of the thing with this id: of this account or, if there is none here, of another.
async fn page_of(view: &View, id: &str) -> anyhow::Result<Option<String>> {
    let others = view.stand_in.accounts().into_iter();
    let others = others.filter(|other| other.0.id != view.account.0.id);
    for account in std::iter::once(view.account.clone()).chain(others) {
        let there = View {
            account,
            stand_in: view.stand_in.clone(),
        };
        let wanted = id.to_owned();
        let find = move |transaction: &Transaction<'_>| section_of(transaction, &wanted);
        if let Some(section) = there.read(find).await? {
            let id = askama::filters::urlencode_strict(id)?;
            return Ok(Some(format!("{}/{section}/{id}", there.base())));
        }
    }
    Ok(None)
}
