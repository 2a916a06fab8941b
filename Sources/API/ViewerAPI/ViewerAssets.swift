import Basics
import Cryptography

/// The files of the viewer, which are built into the program.
enum ViewerAssets {
    struct File: Sendable {
        let contentType: String
        let bytes: [UInt8]
    }

    /// By name. Scripts import each other by relative paths, so all lie in one folder.
    static let files: [String: File] = [
        "decoder.js": script(PackageResources.decoder_js),
        "dicomjson.js": script(PackageResources.dicomjson_js),
        "dicomweb.js": script(PackageResources.dicomweb_js),
        "follow.js": script(PackageResources.follow_js),
        worker: script(PackageResources.frameworker_js),
        "geometry.js": script(PackageResources.geometry_js),
        "loader.js": script(PackageResources.loader_js),
        "main.js": script(PackageResources.main_js),
        "painter.js": script(PackageResources.painter_js),
        "pixels.js": script(PackageResources.pixels_js),
        "popup.js": script(PackageResources.popup_js),
        "reformat.js": script(PackageResources.reformat_js),
        "slide.js": script(PackageResources.slide_js),
        "smart.js": script(PackageResources.smart_js),
        "tools.js": script(PackageResources.tools_js),
        "viewer.css": File(contentType: "text/css; charset=utf-8", bytes: PackageResources.viewer_css),
        "viewport.js": script(PackageResources.viewport_js),
    ]

    /// The script that runs in threads beside the page, and imports others.
    static let worker = "frameworker.js"

    /// Changes with any of the files, so that a browser may keep each for ever.
    static let version: String = {
        var all: [UInt8] = []
        for (name, file) in files.sorted(by: { $0.key < $1.key }) {
            all += name.utf8
            all.append(0)
            all += file.bytes
            all.append(0)
        }
        return Hexadecimal.encode(SHA256.digest(all).prefix(8))
    }()

    /// The page; what stands in double braces is told by the server.
    static let page = String(decoding: PackageResources.viewer_html, as: UTF8.self)

    private static func script(_ bytes: [UInt8]) -> File {
        File(contentType: "text/javascript; charset=utf-8", bytes: bytes)
    }
}
