//! The page for people, in a real browser.

use crate::Named;
use crate::processes::{Apim, Gateway, Settings, folder};
use crate::webdriver::Browser;

pub(crate) const ALL: &[Named] = &[("the_page_does_what_it_says", the_page_does_what_it_says)];

/// A button in the row of a table that begins with `name`.
fn button(table: &str, name: &str, button: &str) -> String {
    format!("//table[@id='{table}']//tr[td[1]='{name}']//button[.='{button}']")
}

fn the_page_does_what_it_says() {
    let folder = folder("page");
    let apim = Apim::start(&folder, &["--dialect", "apim-4.7.0-fixed", "--quiet"]);
    let mut gateway = Gateway::start(&Settings::of(&folder, &apim));
    let browser = Browser::open(&folder, &format!("http://{}/", apim.admin));
    browser.until("//table[@id='connections']//td[starts-with(., 'connection ')]");

    browser.write("//input[@id='api']", "orders");
    browser.click("//button[@id='deploy']");
    gateway.until_synced(1);
    browser.until("//table[@id='apis']//tr[td[1]='orders']/td[.='deployed revision 1']");
    browser.click(&button("apis", "orders", "Revise and deploy"));
    browser.until("//table[@id='apis']//tr[td[1]='orders']/td[.='deployed revision 2']");

    access(&browser, &mut gateway);
    faults(&browser);

    browser.click(&button("apis", "orders", "Undeploy"));
    gateway.until("nothing served", |status| status["kinds"]["RestApi"]["served"] == 0);
    browser.click(&button("apis", "orders", "Delete"));
    browser.until("//table[@id='apis']//tr[td[1]='orders']/td[.='deleted']");
    browser.until("contains(//pre[@id='ledger'], 'api.undeployed')");
    browser.until("contains(//pre[@id='traffic'], 'GET /')");
    assert_eq!(browser.complaints(), [""; 0]);
    // A step that cannot be read is told, and nothing else happens.
    browser.write("//textarea[@id='text']", r#"{"deplyo":{"api":"orders"}}"#);
    browser.click("//form[@id='step']/button");
    browser.until("//*[@id='said'][@class='bad'][contains(., 'deploy')]");
}

/// Keys and subscriptions.
fn access(browser: &Browser, gateway: &mut Gateway) {
    let keys =
        |count: u64| move |status: &serde_json::Value| status["kinds"]["ApiKey"]["served"] == count;
    browser.click(&button("apis", "orders", "Create key"));
    gateway.until("a key", keys(1));
    browser.click(&button("keys", "key-1", "Regenerate"));
    browser.until("count(//table[@id='keys']//td[.='regenerated']) = 1");
    gateway.until("the key that took its place", keys(1));
    browser.click(&button("keys", "key-1", "Revoke"));
    gateway.until("no key", keys(0));
    browser.until("count(//table[@id='keys']//td[.='active']) = 0");

    browser.write("//input[@id='application']", "shop");
    browser.write("//input[@id='to']", "orders");
    browser.click("//form[@id='subscribe']/button");
    browser.click(&button("subscriptions", "shop", "Block"));
    browser.until("//table[@id='subscriptions']//tr[td[1]='shop']/td[.='BLOCKED']");
    browser.click(&button("subscriptions", "shop", "Unblock"));
    browser.until("//table[@id='subscriptions']//tr[td[1]='shop']/td[.='ACTIVE']");
    browser.click(&button("subscriptions", "shop", "Unsubscribe"));
    browser.until("//table[@id='subscriptions']//td[.='no subscription yet']");
}

/// Faults are switched on and off, one by one and all at once.
fn faults(browser: &Browser) {
    let is_on = |name: &str| format!("//table[@id='faults']//tr[td[1]='{name}']/td[@class='on']");
    browser.click(&button("faults", "keep_rows", "Switch on"));
    browser.until(&is_on("keep_rows"));
    browser.click(&button("faults", "keep_rows", "Switch off"));
    browser.until(&format!("not({})", is_on("keep_rows")));
    browser.click(&button("faults", "lose_events", "Switch on"));
    browser.click(&button("faults", "break_keys", "Switch on"));
    browser.until(&format!("{} and {}", is_on("lose_events"), is_on("break_keys")));
    browser.click("//button[@id='off']");
    browser.until("count(//table[@id='faults']//td[@class='on']) = 0");
}
