"""The pages."""

from django.urls import path

from reporting.views import (
    accounts,
    audit,
    books,
    cells,
    dividends,
    exports,
    openings,
    orders,
    people,
    portfolios,
    reports,
    settings,
)

urlpatterns = [
    path("login", people.SignIn.as_view(), name="login"),
    path("settings", people.profile, name="profile"),
    path("portfolios/<uuid:public_id>/members", people.members, name="members"),
    path("", cells.overview, name="overview"),
    path("live", cells.overview_live, name="overview-live"),
    path("positions/new", openings.new_cell_page, name="position-new"),
    path("positions/new/preview", openings.new_cell_preview, name="position-preview"),
    path("portfolios/new", openings.new_portfolio_page, name="portfolio-new"),
    path("portfolios/<uuid:public_id>", portfolios.portfolio, name="portfolio"),
    path("portfolios/<uuid:public_id>/settings", settings.portfolio_settings, name="portfolio-settings"),
    path("portfolios/<uuid:public_id>/settings/effect", settings.portfolio_effect, name="portfolio-effect"),
    path("positions/<uuid:public_id>/settings", settings.position_settings, name="position-settings"),
    path("positions/<uuid:public_id>/settings/effect", settings.position_effect, name="position-effect"),
    path("positions/<uuid:public_id>", cells.cockpit, name="cockpit"),
    path("positions/<uuid:public_id>/live", cells.cockpit_live, name="cockpit-live"),
    path("positions/<uuid:public_id>/chart", cells.chart, name="chart"),
    path("positions/<uuid:public_id>/timeline", cells.timeline, name="timeline"),
    path("exports", exports.exports, name="exports"),
    path("reports", reports.reports, name="reports"),
    path("audit", audit.audit, name="audit"),
    path("accounts", accounts.accounts, name="accounts"),
    path("accounts/<uuid:public_id>", accounts.account, name="account"),
    path("accounts/<uuid:public_id>/books", books.books, name="books"),
    path("dividends", dividends.dividends, name="dividends"),
    path("orders", orders.orders, name="orders"),
    path("orders/<uuid:public_id>", orders.order, name="order"),
]
