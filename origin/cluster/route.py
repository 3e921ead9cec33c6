"""The way in: OpenAI's API before the replicas. It lives while the model sleeps, and refuses what needs no model."""

import asyncio

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from jinja2 import TemplateError
from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from .answer import RETRY_AFTER_S, Answer, Door
from .exchange import ChatAsk, CompletionAsk, Refusal
from .model import Model
from .settings import Settings
from .text import Text

app = FastAPI(openapi_url=None)


@app.exception_handler(Refusal)
async def refuse(_request: Request, refusal: Refusal) -> JSONResponse:
    later = refusal.retry_after_s
    headers = {} if later is None else {"Retry-After": str(later)}
    return JSONResponse(refusal.body(), refusal.status, headers)


@app.exception_handler(RequestValidationError)
async def refuse_shape(_request: Request, error: RequestValidationError) -> JSONResponse:
    faults = [f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in error.errors()]
    return JSONResponse(Refusal(400, "invalid_request", "; ".join(faults)).body(), 400)


async def is_down() -> bool:
    """What Ray Serve says of the model: whether it is replacing replicas that failed."""
    status = await asyncio.to_thread(serve.status)
    here = status.applications[serve.get_replica_context().app_name]
    return here.deployments[Model.__name__].status in ("UNHEALTHY", "DEPLOY_FAILED")


@serve.ingress(app)
class Route:
    """A Ray Serve deployment."""

    def __init__(self, settings: Settings, model: DeploymentHandle) -> None:
        self._settings = settings
        self._model = model
        stream = model.generate.options(stream=True)
        self._door = Door(stream, Text(settings.model_source), settings.wake_s, is_down)

    @app.get("/v1/models")
    async def models(self) -> dict:
        return {"object": "list", "data": [{"id": self._settings.model_name, "object": "model", "owned_by": "ledge"}]}

    @app.get("/metrics")
    async def metrics(self) -> PlainTextResponse:
        """The load, by the names of vLLM's metrics: who reads engines knows them."""
        label = f'{{model_name="{self._settings.model_name}"}}'
        named = {"running": self._door.running, "waiting": self._door.waiting}
        return PlainTextResponse("".join(f"vllm:num_requests_{name}{label} {value}\n" for name, value in named.items()))

    @app.get("/shards")
    async def shards(self) -> JSONResponse:
        """The processes of a replica, and what each holds of the model. Wakes the model."""
        try:
            return JSONResponse(await self._model.facts.remote())
        except (RayError, RayServeException) as error:
            raise Refusal(503, "overloaded", "The model cannot take the call now.", RETRY_AFTER_S) from error

    @app.post("/v1/chat/completions")
    async def chat(self, ask: ChatAsk) -> Response:
        return await self._answer(ask)

    @app.post("/v1/completions")
    async def complete(self, ask: CompletionAsk) -> Response:
        return await self._answer(ask)

    async def _answer(self, ask: ChatAsk | CompletionAsk) -> Response:
        if ask.model != self._settings.model_name:
            raise Refusal(404, "model_not_found", f"There is no model '{ask.model}' here.")
        ask.must_be_supported()
        try:
            prompt = ask.prompt(self._door.text)
        except TemplateError as error:
            raise Refusal(
                400, "invalid_request", f"The model's template does not take these messages: {error}"
            ) from error
        answer = Answer(self._door, ask, prompt)
        # A refusal still has a status before the first token; behind it, a stream can only say it in its midst.
        await answer.begin()
        if ask.stream:
            return StreamingResponse(answer.events(), media_type="text/event-stream")
        return JSONResponse(await answer.whole())
