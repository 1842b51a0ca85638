"""The POST actions of pages."""

from django.urls import path

from trading.views import accounts, acts, books, chain, feeds, halts, openings, orders, proposals, settings, simulations
from trading.views import sweeps as swept
from trading.views.deeds import DEEDS

urlpatterns = [
    path("portfolios/<uuid:public_id>/settings/save", settings.save_portfolio, name="portfolio-save"),
    path("portfolios/<uuid:public_id>/settings/restore", settings.restore_portfolio, name="portfolio-restore"),
    path("positions/<uuid:public_id>/settings/save", settings.save_position, name="position-save"),
    path("positions/<uuid:public_id>/settings/restore", settings.restore_position, name="position-restore"),
    path("presets/keep", settings.keep_preset, name="keep-preset"),
    path("presets/<int:preset_id>/forget", settings.drop_preset, name="drop-preset"),
    path("positions/open", openings.open_cell, name="open-cell"),
    path("portfolios/open", openings.open_portfolio_page, name="open-portfolio"),
    path("feeds/<slug:source>/pause", feeds.pause_feed, name="pause-feed"),
    path("feeds/<slug:source>/resume", feeds.resume_feed, name="resume-feed"),
    *(path(f"positions/<uuid:public_id>/act/{name}", acts.act, {"name": name}, name=f"act-{name}") for name in DEEDS),
    path("console/halt", halts.halt, name="halt"),
    path("console/halts/<uuid:public_id>/rearm", halts.rearm, name="rearm"),
    path("audit/verify", chain.verify_chain, name="audit-verify"),
    path("accounts/open", accounts.open_account, name="open-account"),
    path("accounts/<uuid:public_id>/rename", accounts.rename, name="rename-account"),
    path("accounts/<uuid:public_id>/terms", accounts.set_terms, name="account-terms"),
    path("accounts/<uuid:public_id>/credentials", accounts.set_credentials, name="account-credentials"),
    path("accounts/<uuid:public_id>/webhook-secret", accounts.make_secret, name="make-webhook-secret"),
    path("accounts/<uuid:public_id>/webhook-secret/made", accounts.show_secret, name="webhook-secret-made"),
    path("accounts/<uuid:public_id>/connect", accounts.connect, name="connect-account"),
    path("accounts/<uuid:public_id>/arm", accounts.arm, name="arm-account"),
    path("accounts/<uuid:public_id>/disarm", accounts.disarm, name="disarm-account"),
    path("accounts/<uuid:public_id>/close", accounts.close, name="close-account"),
    path("accounts/<uuid:public_id>/books/compare", books.compare_again, name="books-compare"),
    path("accounts/<uuid:public_id>/books/outside", books.confirm_it_outside, name="books-outside"),
    path("accounts/<uuid:public_id>/books/adopt", books.adopt_it, name="books-adopt"),
    path("accounts/<uuid:public_id>/books/release", books.release_account, name="books-release"),
    path("orders/<uuid:public_id>/approve", proposals.approve, name="order-approve"),
    path("orders/<uuid:public_id>/dismiss", proposals.dismiss, name="order-dismiss"),
    path("portfolios/<uuid:public_id>/approval", proposals.switch, name="portfolio-approval"),
    path("simulations/start", simulations.start, name="simulation-start"),
    path("simulations/<uuid:public_id>/cancel", simulations.cancel, name="simulation-cancel"),
    path("simulations/<uuid:public_id>/delete", simulations.delete, name="simulation-delete"),
    path("orders/<uuid:public_id>/cancel", orders.cancel_order, name="order-cancel"),
    path("sweeps/start", swept.start, name="sweep-start"),
    path("sweeps/<uuid:public_id>/cancel", swept.cancel, name="sweep-cancel"),
    path("sweeps/<uuid:public_id>/delete", swept.delete, name="sweep-delete"),
    path("sweeps/<uuid:public_id>/trials/<int:number>/run", swept.open_run, name="sweep-run"),
    path("sweeps/<uuid:public_id>/trials/<int:number>/use", swept.use, name="sweep-use"),
    path("sweeps/<uuid:public_id>/trials/<int:number>/keep", swept.keep, name="sweep-keep"),
]
