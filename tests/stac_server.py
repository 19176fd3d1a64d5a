"""stac-fastapi over a JSON file of items: `stac_server.py ITEMS PORT`, in an environment of its own."""

import json
import sys
from pathlib import Path

import uvicorn
from stac_fastapi.api.app import StacApi
from stac_fastapi.api.models import create_get_request_model, create_post_request_model
from stac_fastapi.extensions.pagination import TokenPaginationExtension
from stac_fastapi.types.config import ApiSettings
from stac_fastapi.types.core import BaseCoreClient

ITEMS, PORT = Path(sys.argv[1]), int(sys.argv[2])
PAGE = 10


class Client(BaseCoreClient):
    def _found(self, collections, bbox, ids=None):
        west, south, east, north = bbox or (-180, -90, 180, 90)
        return [
            item
            for item in json.loads(ITEMS.read_text())
            if item["collection"] in (collections or [item["collection"]])
            and item["id"] in (ids or [item["id"]])
            and item["bbox"][0] <= east
            and item["bbox"][2] >= west
            and item["bbox"][1] <= north
            and item["bbox"][3] >= south
        ]

    def post_search(self, search_request, **kwargs):
        start = int(search_request.token or 0)
        found = self._found(search_request.collections, search_request.bbox, search_request.ids)
        links = []
        if start + PAGE < len(found):
            body = {"token": str(start + PAGE)}
            href = str(kwargs["request"].url)
            links = [{"rel": "next", "href": href, "method": "POST", "body": body, "merge": True}]
            asked = search_request.model_dump(mode="json", exclude_none=True)
            links[0]["body"] = asked | body
        page = found[start : start + PAGE]
        return {"type": "FeatureCollection", "features": page, "links": links}

    def get_search(self, collections=None, ids=None, bbox=None, **kwargs):
        return {"type": "FeatureCollection", "features": self._found(collections, bbox, ids), "links": []}

    def item_collection(self, collection_id, bbox=None, **kwargs):
        return self.get_search([collection_id], bbox=bbox)

    def get_item(self, item_id, collection_id, **kwargs):
        return self._found([collection_id], None, [item_id])[0]

    def get_collection(self, collection_id, **kwargs):
        extent = {"spatial": {"bbox": [[10, 50, 20, 60]]}, "temporal": {"interval": [[None, None]]}}
        return {
            "type": "Collection",
            "stac_version": "1.0.0",
            "id": collection_id,
            "description": "d",
            "license": "other",
            "extent": extent,
            "links": [],
        }

    def all_collections(self, **kwargs):
        names = sorted({item["collection"] for item in json.loads(ITEMS.read_text())})
        return {"collections": [self.get_collection(name) for name in names], "links": []}


paging = [TokenPaginationExtension()]
settings = ApiSettings(
    stac_fastapi_title="t",
    stac_fastapi_description="d",
    stac_fastapi_landing_id="i",
    stac_fastapi_version="1",
)
post = create_post_request_model(paging)
api = StacApi(
    settings=settings,
    client=Client(),
    extensions=paging,
    search_get_request_model=create_get_request_model(paging),
    search_post_request_model=post,
)
uvicorn.run(api.app, host="127.0.0.1", port=PORT, log_level="warning")
