//! What a shop under test is started with: the repository's template, and tables of its own.

use std::path::Path;

use laptop::shop::Options;
use tempfile::TempDir;
use template::project::Project;

use crate::cast::DEVELOPER;
use crate::wiring::Environments;

/// The logical ids of the shop's tables.
pub(crate) const TABLES: [&str; 3] = ["ProductsTable", "PurchasesTable", "OutboxTable"];

/// The names of the tables behind the template's logical ids.
#[derive(Clone)]
pub(crate) struct Tables {
    suffix: String,
}

impl Tables {
    pub(crate) fn name(&self, logical_id: &str) -> String {
        format!("{logical_id}{}", self.suffix)
    }
}

/// A shop that can be started: everything in memory, any ports that are free.
pub(crate) struct Prepared {
    pub(crate) options: Options,
    pub(crate) tables: Tables,
    pub(crate) environments: Environments,
    pub(crate) folder: TempDir,
}

pub(crate) fn prepare() -> Prepared {
    let folder = tempfile::tempdir().unwrap();
    let engine = borrowed_engine();
    let suffix = match &engine {
        // Other tests, and earlier runs, have tables there too.
        Some(_) => uuid::Uuid::new_v4().simple().to_string(),
        None => String::new(),
    };
    let tables = Tables { suffix };
    let environments = Environments::default();
    let project = project(folder.path(), &tables);
    let mut options = Options::in_memory(project, environments.overhear(None));
    let environment = &mut options.environment;
    environment.insert("DEVELOPER_EMAIL".into(), DEVELOPER.into());
    // Most tests count what buyers are written; those about sales say how the seller hears of them.
    environment.insert("SALE_MAILS".into(), "none".into());
    if let Some(engine) = engine {
        // DynamoDB only: mail ends in this shop's mailbox, where the tests read it.
        environment.insert("AWS_ENDPOINT_URL_DYNAMODB".into(), engine);
    }
    Prepared {
        options,
        tables,
        environments,
        folder,
    }
}

/// Where `AWS_ENDPOINT_URL` points: then the tests run on that engine instead of the embedded one.
/// The shop's own AWS endpoint still stands before it, so faults can be had there, too.
fn borrowed_engine() -> Option<String> {
    ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|endpoint| !endpoint.trim().is_empty())
}

/// The shop's own template, with tables of this test's own.
fn project(folder: &Path, tables: &Tables) -> Project {
    let Project { template, site } = repository();
    let mut template = std::fs::read_to_string(template).unwrap();
    for table in TABLES {
        template = template.replace(table, &tables.name(table));
    }
    let path = folder.join("template.yaml");
    std::fs::write(&path, template).unwrap();
    Project {
        template: path,
        site,
    }
}

/// The repository that these tests were built from.
pub fn repository() -> Project {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.ancestors().find_map(Project::at).unwrap()
}
