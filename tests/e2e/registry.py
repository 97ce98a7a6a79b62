"""A registry of one image that wants a login, as small as Docker's protocol lets it be."""

import base64
import contextlib
import gzip
import hashlib
import http.server
import io
import json
import subprocess
import tarfile
import threading

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


class Registry:
    """Serves a local image under another name, to whoever knows username and password."""

    def __init__(self, image, username, password):
        self.blobs, self.manifest = read_image(image)
        word = base64.b64encode(f"{username}:{password}".encode()).decode()
        self.authorization = f"Basic {word}"
        self.logins = 0
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        # Docker speaks plain HTTP to registries on this machine.
        self.image = f"127.0.0.1:{self.http.server_port}/private:1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


@contextlib.contextmanager
def private(image, username, password):
    registry = Registry(image, username, password)
    try:
        yield registry
    finally:
        registry.close()


def read_image(name):
    """The blobs of an image by their digests, and its manifest."""
    saved = subprocess.run(["docker", "save", name], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
        (entry,) = json.load(archive.extractfile("manifest.json"))
        config = archive.extractfile(entry["Config"]).read()
        layers = [compressed(archive.extractfile(it).read()) for it in entry["Layers"]]
    blobs = {digest(it): it for it in (config, *layers)}

    def named(kind, blob):
        return {"mediaType": kind, "size": len(blob), "digest": digest(blob)}

    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": named(CONFIG, config),
        "layers": [named(LAYER, it) for it in layers],
    }
    return blobs, json.dumps(manifest).encode()


def compressed(layer):
    return layer if layer.startswith(b"\x1f\x8b") else gzip.compress(layer, mtime=0)


def digest(blob):
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def handler(registry):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            if self.headers.get("Authorization") != registry.authorization:
                return self.answer(401, b"{}", {"WWW-Authenticate": 'Basic realm="private"'})
            registry.logins += 1
            if self.path == "/v2/":
                return self.answer(200, b"{}", {})
            if self.path.startswith("/v2/private/manifests/"):
                about = {"Content-Type": MANIFEST, "Docker-Content-Digest": digest(registry.manifest)}
                return self.answer(200, registry.manifest, about)
            blob = registry.blobs.get(self.path.rpartition("/")[2])
            return self.answer(200 if blob else 404, blob or b"{}", {})

        do_HEAD = do_GET

        def answer(self, status, body, headers):
            self.send_response(status)
            headers = {"Docker-Distribution-Api-Version": "registry/2.0", **headers}
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler
