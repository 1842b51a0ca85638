"""The least Django answers: one view, no middleware, no database; see benchmarks/orders.py."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path


def place(_request: HttpRequest, cell_id: str) -> JsonResponse:
    answer = JsonResponse({"order_id": "", "accepted": True, "position_id": cell_id}, status=201)
    answer["Content-Length"] = len(answer.content)  # else gunicorn sends it in chunks
    return answer


urlpatterns = [path("v1/positions/<str:cell_id>/orders", place)]
settings.configure(SECRET_KEY="none is needed", ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, MIDDLEWARE=[])
application = get_wsgi_application()
