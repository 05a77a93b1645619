//! The page to paint on, in real browsers.

use std::time::Duration;

use place_canvas::{Pixel, Rgb};
use place_config::Function;
use place_tests::Operator;
use place_tests::browser::{Browser, Driver};
use serde_json::Value;

use crate::support::{Standing, my_turn};

const WINDOW: (u32, u32) = (1280, 800);
const LIVE: &str = "globalThis.place && place.state === 'live' && place.holds";

/// The palette's first colour, which the key 1 chooses.
const FIRST: &str = "const first = document.querySelector('[role=radio]'); first.click();";

async fn address(stack: &Standing) -> String {
    let opened = stack
        .operator
        .placectl()
        .args(["open", "--print"])
        .run()
        .await;
    assert_eq!(opened.code, Some(0), "{opened}");
    opened.stdout.trim().to_owned()
}

/// Waits until the page shows what Redis holds, pixel by pixel.
async fn shows_the_canvas(browser: &Browser, stack: &Standing) {
    let mut different = usize::MAX;
    for _ in 0..150 {
        let (shown, canvas) = (browser.pixels().await, stack.operator.canvas().await);
        let pairs = shown.chunks(3).zip(canvas.rgb().chunks(3));
        different = pairs.filter(|(a, b)| a != b).count();
        if different == 0 && shown.len() == canvas.rgb().len() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("{different} pixels are not those of the canvas");
}

/// Paints the pixel in the middle of the window by the keyboard alone.
async fn paint(browser: &Browser, (x, y): (u16, u16), digit: &str) {
    browser
        .run(&format!("location.hash = '#{x},{y},24';"))
        .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    browser.press(&[digit, "Enter"]).await;
}

fn colour(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test]
async fn two_browsers_paint_and_see_each_other_and_nothing_goes_wrong_in_them() {
    let (stack, _turn) = my_turn().await;
    let (url, driver) = (address(stack).await, Driver::start().await);
    let first = driver.open(&url, WINDOW).await;
    let second = driver.open(&url, (320, 640)).await;
    for browser in [&first, &second] {
        browser.until(LIVE).await;
        shows_the_canvas(browser, stack).await;
    }
    paint(&first, (20, 10), "2").await;
    paint(&second, (21, 10), "5").await;
    for browser in [&first, &second] {
        browser.until("place.settled === 0").await;
        shows_the_canvas(browser, stack).await;
    }
    let painted = first
        .run("return [place.pixel(20, 10), place.pixel(21, 10)];")
        .await;
    assert_ne!(colour(&painted[0]), "#ffffff", "{painted}");
    assert_ne!(colour(&painted[1]), "#ffffff", "{painted}");
    assert_ne!(painted[0], painted[1]);
    let told = first
        .run("return fetch('pixels/20/10').then((answer) => answer.json());")
        .await;
    assert_eq!(told["rgb"], painted[0]);
    let other = first
        .run("return fetch('pixels/21/10').then((answer) => answer.json());")
        .await;
    assert_ne!(
        told["by"], other["by"],
        "two browsers are two players: {told} {other}"
    );
    for browser in [first, second] {
        assert_eq!(browser.errors().await, Vec::<String>::new());
        browser.close().await;
    }
}

#[tokio::test]
async fn a_page_that_can_have_no_socket_watches_by_slots_and_paints_as_soon_as_it_has_one() {
    let (stack, _turn) = my_turn().await;
    let (url, driver) = (address(stack).await, Driver::start().await);
    let browser = driver.open(&url, WINDOW).await;
    browser.until(LIVE).await;
    browser.run("sockets.refused = true; sockets.kill();").await;
    browser.until("place.state === 'watching'").await;
    let mut painter = stack.operator.join().await;
    for row in 0..40 {
        let pixel = |x| Pixel::new(x, row, Rgb::new(200, (x % 8) as u8, (row % 4) as u8));
        let pixels: Vec<Pixel> = (0..60).map(pixel).collect();
        painter.paint(&pixels).await;
    }
    shows_the_canvas(&browser, stack).await;
    browser.run("sockets.refused = false;").await;
    browser.until(LIVE).await;
    shows_the_canvas(&browser, stack).await;
    paint(&browser, (5, 5), "4").await;
    browser.until("place.settled === 0").await;
    shows_the_canvas(&browser, stack).await;
    browser.close().await;
}

#[tokio::test]
async fn a_page_asks_nothing_of_those_who_see_little() {
    let (stack, _turn) = my_turn().await;
    let (url, driver) = (address(stack).await, Driver::start().await);
    let axe = place_tests::page_modules().join("axe-core/axe.min.js");
    let axe = std::fs::read_to_string(&axe).expect("`scripts/setup.sh tests` installs axe-core");
    for size in [WINDOW, (320, 640)] {
        let browser = driver.open(&url, size).await;
        browser.until(LIVE).await;
        browser.run(&axe).await;
        let found = browser
            .run("return axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map((n) => n.html)]));")
            .await;
        assert_eq!(found, Value::Array(Vec::new()), "{size:?}: {found}");
        browser.run(FIRST).await;
        browser.close().await;
    }
}

#[tokio::test]
async fn the_page_goes_and_comes_back_as_it_is_configured() {
    let stack = Standing::up().await;
    let operator = &stack.operator;
    let name = operator.names().function(Function::Page);
    let has_url = async || {
        let look = operator.sdk().lambda.get_function_url_config();
        look.function_name(&name).send().await.is_ok()
    };
    let statements = async || {
        let policy = operator
            .sdk()
            .lambda
            .get_policy()
            .function_name(&name)
            .send()
            .await;
        policy
            .ok()
            .and_then(|answer| answer.policy)
            .unwrap_or_default()
    };
    assert!(has_url().await);
    let both = statements().await;
    assert!(both.contains("lambda:InvokeFunctionUrl"), "{both}");
    assert!(both.contains("lambda:InvokedViaFunctionUrl"), "{both}");
    let page = operator
        .placectl()
        .args(["page", "build", "site"])
        .run()
        .await;
    assert_eq!(page.code, Some(0), "{page}");

    let without = Operator::with(&stack.cloud, |config| config.page.enabled = false);
    without.up().await;
    assert!(!has_url().await);
    assert!(!statements().await.contains("place-page"));
    let opened = without.placectl().args(["open", "--print"]).run().await;
    assert_eq!(opened.code, Some(2), "{opened}");
    assert!(opened.stderr.contains("page.enabled = true"), "{opened}");

    operator.up().await;
    assert!(has_url().await);
    let again = operator.placectl().args(["up"]).run().await;
    assert!(again.stderr.contains("nothing to do"), "{again}");
}
