"""Archives that answer in the documented shapes."""

from tests.unit.fair.archive_server import Server, answer

GOOD = {
    "/gide/search": answer("gide_search.json"),
    "/bia/v1/search/fts": answer("bia_fts.json"),
    "/biostudies/BioImages/search": answer("biostudies_search.json"),
    "/idr/submitquery/containers/": answer("idr_containers.json"),
}


def addresses(server: Server, *keys: str) -> dict[str, str]:
    places = {"gide": "/gide", "bia": "/bia/v1/search", "idr": "/idr", "ssbd": "/gide"}
    return {key: server.address + places[key] for key in keys or places}
