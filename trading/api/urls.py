"""Addresses of the JSON doors of trading."""

from django.urls import path

from trading.api.accounts import (
    AccountCredentials,
    AccountDetail,
    AccountList,
    ArmAccount,
    CloseAccount,
    DisarmAccount,
    PortfolioAccount,
    WebhookSecret,
)
from trading.api.acts import Adjust, Anchor, Close, Deposit, Pause, Release, Resume, Withdraw
from trading.api.announcements import (
    ActionsAnswers,
    DividendCancellations,
    DividendCorrections,
    SplitCancellations,
    SplitCorrections,
)
from trading.api.bars import (
    ImportCommit,
    ImportDetail,
    ImportList,
    SeriesGaps,
    SeriesList,
    SeriesOutliers,
    SeriesQuality,
    StoredBarList,
)
from trading.api.books import AccountReconciliations, ReconcileAccount, UnfreezeAccount
from trading.api.callback import OrderCallback
from trading.api.dividends import UpcomingDividends
from trading.api.evaluation import Evaluate, Tick
from trading.api.events import Events, PositionEvents
from trading.api.halts import (
    HaltAccount,
    HaltList,
    HaltPortfolio,
    HaltPosition,
    RearmHalt,
    RearmPosition,
    ResumePortfolio,
)
from trading.api.ladder import PositionLadder
from trading.api.market import BarList, MarketStatus, NewestQuote
from trading.api.orders import CancelOrder, FillOrder, OrderDetail, OrderList, PositionOrders
from trading.api.positions import PositionDetail, PositionList
from trading.api.preview import PositionSettingsPreview
from trading.api.proposals import ApproveOrder, DismissOrder, PortfolioApproval
from trading.api.refused_prices import RefusedPrices
from trading.api.settings import (
    PortfolioSettings,
    PortfolioVersions,
    PositionSettings,
    PositionVersions,
    RestorePortfolioSettings,
    RestorePositionSettings,
)
from trading.api.simulations import CancelRun, RunDays, RunDetail, RunFills, RunList
from trading.api.storm import PortfolioStorm
from trading.api.sweeps import (
    CancelSweep,
    SweepDetail,
    SweepList,
    SweepMap,
    SweepTrial,
    SweepTrials,
    UseTrial,
)
from trading.api.timeline import PositionTimeline
from trading.api.why import EvaluationDetail, WhyNot

urlpatterns = [
    path("v1/positions", PositionList.as_view(), name="api-positions"),
    path("v1/positions/<str:public_id>", PositionDetail.as_view(), name="api-position"),
    path("v1/positions/<str:public_id>/events", PositionEvents.as_view(), name="api-position-events"),
    path("v1/positions/<str:public_id>/evaluate", Evaluate.as_view(), name="api-evaluate"),
    path("v1/positions/<str:public_id>/tick", Tick.as_view(), name="api-tick"),
    path("v1/positions/<str:public_id>/orders", PositionOrders.as_view(), name="api-position-orders"),
    path("v1/positions/<str:public_id>/ladder", PositionLadder.as_view(), name="api-ladder"),
    path("v1/positions/<str:public_id>/refused-prices", RefusedPrices.as_view(), name="api-refused-prices"),
    path("v1/positions/<str:public_id>/timeline", PositionTimeline.as_view(), name="api-timeline"),
    path("v1/evaluations/<str:evaluation_id>", EvaluationDetail.as_view(), name="api-evaluation"),
    path("v1/evaluations/<str:evaluation_id>/why-not", WhyNot.as_view(), name="api-why-not"),
    path("v1/positions/<str:public_id>/deposit", Deposit.as_view(), name="api-deposit"),
    path("v1/positions/<str:public_id>/withdraw", Withdraw.as_view(), name="api-withdraw"),
    path("v1/positions/<str:public_id>/adjust", Adjust.as_view(), name="api-adjust"),
    path("v1/positions/<str:public_id>/anchor", Anchor.as_view(), name="api-anchor"),
    path("v1/positions/<str:public_id>/pause", Pause.as_view(), name="api-pause"),
    path("v1/positions/<str:public_id>/resume", Resume.as_view(), name="api-resume"),
    path("v1/positions/<str:public_id>/release", Release.as_view(), name="api-release"),
    path("v1/positions/<str:public_id>/close", Close.as_view(), name="api-close"),
    path("v1/positions/<str:public_id>/settings", PositionSettings.as_view(), name="api-position-settings"),
    path(
        "v1/positions/<str:public_id>/settings/preview", PositionSettingsPreview.as_view(), name="api-preview-settings"
    ),
    path("v1/positions/<str:public_id>/settings/versions", PositionVersions.as_view(), name="api-position-versions"),
    path(
        "v1/positions/<str:public_id>/settings/versions/<int:number>/restore",
        RestorePositionSettings.as_view(),
        name="api-restore-position-settings",
    ),
    path("v1/portfolios/<str:public_id>/settings", PortfolioSettings.as_view(), name="api-portfolio-settings"),
    path("v1/portfolios/<str:public_id>/settings/versions", PortfolioVersions.as_view(), name="api-portfolio-versions"),
    path(
        "v1/portfolios/<str:public_id>/settings/versions/<int:number>/restore",
        RestorePortfolioSettings.as_view(),
        name="api-restore-portfolio-settings",
    ),
    path("v1/positions/<str:public_id>/halt", HaltPosition.as_view(), name="api-halt-position"),
    path("v1/positions/<str:public_id>/rearm", RearmPosition.as_view(), name="api-rearm-position"),
    path("v1/portfolios/<str:public_id>/halt", HaltPortfolio.as_view(), name="api-halt-portfolio"),
    path("v1/portfolios/<str:public_id>/resume", ResumePortfolio.as_view(), name="api-resume-portfolio"),
    path("v1/accounts/<str:public_id>/halt", HaltAccount.as_view(), name="api-halt-account"),
    path("v1/halts", HaltList.as_view(), name="api-halts"),
    path("v1/halts/<str:public_id>/rearm", RearmHalt.as_view(), name="api-rearm-halt"),
    path("v1/accounts/<str:public_id>/reconciliations", AccountReconciliations.as_view(), name="api-reconciliations"),
    path("v1/accounts/<str:public_id>/reconcile", ReconcileAccount.as_view(), name="api-reconcile"),
    path("v1/accounts/<str:public_id>/unfreeze", UnfreezeAccount.as_view(), name="api-unfreeze"),
    path("v1/dividends/corrections", DividendCorrections.as_view(), name="api-dividend-corrections"),
    path("v1/dividends/cancellations", DividendCancellations.as_view(), name="api-dividend-cancellations"),
    path("v1/dividends/answers", ActionsAnswers.as_view(), name="api-actions-answers"),
    path("v1/splits/corrections", SplitCorrections.as_view(), name="api-split-corrections"),
    path("v1/splits/cancellations", SplitCancellations.as_view(), name="api-split-cancellations"),
    path("v1/dividends/upcoming", UpcomingDividends.as_view(), name="api-upcoming-dividends"),
    path("v1/market/status", MarketStatus.as_view(), name="api-market"),
    path("v1/market/quotes/<str:symbol>", NewestQuote.as_view(), name="api-quote"),
    path("v1/market/bars/<str:symbol>", BarList.as_view(), name="api-bars"),
    path("v1/market/series", SeriesList.as_view(), name="api-series"),
    path("v1/market/bars/<str:symbol>/<str:resolution>", StoredBarList.as_view(), name="api-stored-bars"),
    path("v1/market/bars/<str:symbol>/<str:resolution>/quality", SeriesQuality.as_view(), name="api-series-quality"),
    path("v1/market/bars/<str:symbol>/<str:resolution>/gaps", SeriesGaps.as_view(), name="api-series-gaps"),
    path("v1/market/bars/<str:symbol>/<str:resolution>/outliers", SeriesOutliers.as_view(), name="api-series-outliers"),
    path("v1/bars/imports", ImportList.as_view(), name="api-bar-imports"),
    path("v1/bars/imports/<str:public_id>", ImportDetail.as_view(), name="api-bar-import"),
    path("v1/bars/imports/<str:public_id>/commit", ImportCommit.as_view(), name="api-commit-bar-import"),
    path("v1/events", Events.as_view(), name="api-events"),
    path("v1/orders", OrderList.as_view(), name="api-orders"),
    path("v1/orders/callback", OrderCallback.as_view(), name="api-callback"),
    path("v1/orders/<str:public_id>", OrderDetail.as_view(), name="api-order"),
    path("v1/orders/<str:public_id>/approve", ApproveOrder.as_view(), name="api-approve"),
    path("v1/orders/<str:public_id>/dismiss", DismissOrder.as_view(), name="api-dismiss"),
    path("v1/portfolios/<str:public_id>/approval", PortfolioApproval.as_view(), name="api-approval"),
    path("v1/portfolios/<str:public_id>/storm", PortfolioStorm.as_view(), name="api-storm"),
    path("v1/portfolios/<str:public_id>/account", PortfolioAccount.as_view(), name="api-portfolio-account"),
    path("v1/accounts", AccountList.as_view(), name="api-accounts"),
    path("v1/accounts/<str:public_id>", AccountDetail.as_view(), name="api-account"),
    path("v1/accounts/<str:public_id>/credentials", AccountCredentials.as_view(), name="api-credentials"),
    path("v1/accounts/<str:public_id>/webhook-secret", WebhookSecret.as_view(), name="api-webhook-secret"),
    path("v1/accounts/<str:public_id>/arm", ArmAccount.as_view(), name="api-arm"),
    path("v1/accounts/<str:public_id>/disarm", DisarmAccount.as_view(), name="api-disarm"),
    path("v1/accounts/<str:public_id>/close", CloseAccount.as_view(), name="api-close-account"),
    path("v1/orders/<str:public_id>/cancel", CancelOrder.as_view(), name="api-cancel"),
    path("v1/orders/<str:public_id>/fill", FillOrder.as_view(), name="api-fill"),
    path("v1/simulations", RunList.as_view(), name="api-simulations"),
    path("v1/simulations/<str:public_id>", RunDetail.as_view(), name="api-simulation"),
    path("v1/simulations/<str:public_id>/cancel", CancelRun.as_view(), name="api-cancel-simulation"),
    path("v1/simulations/<str:public_id>/fills", RunFills.as_view(), name="api-simulation-fills"),
    path("v1/simulations/<str:public_id>/daily", RunDays.as_view(), name="api-simulation-daily"),
    path("v1/sweeps", SweepList.as_view(), name="api-sweeps"),
    path("v1/sweeps/<str:public_id>", SweepDetail.as_view(), name="api-sweep"),
    path("v1/sweeps/<str:public_id>/cancel", CancelSweep.as_view(), name="api-cancel-sweep"),
    path("v1/sweeps/<str:public_id>/map", SweepMap.as_view(), name="api-sweep-map"),
    path("v1/sweeps/<str:public_id>/trials", SweepTrials.as_view(), name="api-sweep-trials"),
    path("v1/sweeps/<str:public_id>/trials/<int:number>", SweepTrial.as_view(), name="api-sweep-trial"),
    path("v1/sweeps/<str:public_id>/trials/<int:number>/use", UseTrial.as_view(), name="api-use-trial"),
]
