import ArgumentParser
import AsyncHTTPClient
import Hummingbird
import HummingbirdTLS
import JWTKit
import ServiceLifecycle
import X509
import Yams

@main struct Hilum { static func main() {} }
