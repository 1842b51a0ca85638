"""Addresses of the JSON doors of portfolios."""

from django.urls import path

from portfolios.api.members import (
    AcceptInvitation,
    InvitationDetail,
    InvitationList,
    MemberDetail,
    MemberList,
    TransferPortfolio,
)
from portfolios.api.portfolios import ClosePortfolio, PortfolioDetail, PortfolioList
from portfolios.api.presets import PresetDetail, PresetList
from portfolios.api.tokens import TokenDetail, TokenList

urlpatterns = [
    path("v1/portfolios", PortfolioList.as_view(), name="api-portfolios"),
    path("v1/portfolios/<str:public_id>", PortfolioDetail.as_view(), name="api-portfolio"),
    path("v1/portfolios/<str:public_id>/close", ClosePortfolio.as_view(), name="api-close-portfolio"),
    path("v1/portfolios/<str:public_id>/transfer", TransferPortfolio.as_view(), name="api-transfer"),
    path("v1/portfolios/<str:public_id>/members", MemberList.as_view(), name="api-members"),
    # A path, because a name may hold a slash: whoever made the user decides, not this address.
    path("v1/portfolios/<str:public_id>/members/<path:username>", MemberDetail.as_view(), name="api-member"),
    path("v1/portfolios/<str:public_id>/invitations", InvitationList.as_view(), name="api-invitations"),
    path(
        "v1/portfolios/<str:public_id>/invitations/<uuid:invitation_id>",
        InvitationDetail.as_view(),
        name="api-invitation",
    ),
    path("v1/invitations/accept", AcceptInvitation.as_view(), name="api-accept-invitation"),
    path("v1/presets", PresetList.as_view(), name="api-presets"),
    path("v1/presets/<int:preset_id>", PresetDetail.as_view(), name="api-preset"),
    path("v1/tokens", TokenList.as_view(), name="api-tokens"),
    path("v1/tokens/<slug:prefix>", TokenDetail.as_view(), name="api-token"),
]
