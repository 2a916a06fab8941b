import COpenJPEG
import DICOMPixels

/// JPEG 2000 and High-Throughput JPEG 2000 by OpenJPEG. ITU-T T.800, T.814; PS3.5 §A.4.4.
enum OpenJPEGCodec {
    /// Decodes a codestream whose header agrees with the image, all of it or a region of it: what ends too early is an
    /// error. Colour that the codestream transformed is RGB, other colour is as coded.
    ///
    /// Of a region the tiles that it touches are read, and of those the code-blocks that it needs; the others are passed
    /// over by the lengths that they tell. Of high throughput OpenJPEG 2.5.0 gives nothing but zeros for a part of a tile:
    /// such a frame is decoded whole and its region cut out.
    static func decode(
        _ frame: [UInt8], _ image: ImagePixel, _ options: DecodingOptions, _ limits: PixelLimits, isLossless: Bool
    ) throws(PixelCodecError) -> NativeFrame {
        guard let headers = JPEG2000Headers(frame) else { throw .malformed("no JPEG 2000 main header") }
        let precision = try agreed(headers, image, limits)
        if let region = options.region, headers.isHighThroughput {
            try limits.check(image, codestreamBytes: frame.count)
            let whole = try decode(frame, image, DecodingOptions(), limits, isLossless: isLossless)
            guard let part = whole.cut(region) else { throw .malformed("a frame without its region") }
            return part
        }
        let halvings = headers.halvings(options.reduction, of: options.region)
        let size = PixelCells.sampleBytes(image.bitsAllocated)
        // OpenJPEG takes a pointer that is not const, and does not write to it.
        var source = frame
        let (rows, columns) = image.halved(halvings, of: options.region)
        let result = source.withUnsafeMutableBufferPointer { source -> Result<[UInt8], PixelCodecError> in
            do throws(PixelCodecError) {
                return .success(
                    try decoded(source, headers, halvings, options.region) { picture throws(PixelCodecError) in
                        try samples(picture, image, rows: rows, columns: columns, precision: precision, size: size)
                    })
            } catch { return .failure(error) }
        }
        let isRGB = headers.isTransformed && image.samplesPerPixel == 3
        return try PixelCells.decoded(
            try result.get(), image, size: size, precision: precision, isLossless: isLossless, rows: rows,
            columns: columns, photometric: isRGB ? "RGB" : nil)
    }

    /// The precision of all components.
    private static func agreed(
        _ headers: JPEG2000Headers, _ image: ImagePixel, _ limits: PixelLimits
    ) throws(PixelCodecError) -> Int {
        let precision = headers.components[0].precision
        try image.agree(
            rows: headers.rows, columns: headers.columns, samples: headers.components.count, precision: precision)
        guard headers.isFull, headers.components.allSatisfy({ $0.precision == precision }) else {
            throw .unsupported("JPEG 2000 with components of different size or depth")
        }
        guard precision <= 31 else { throw .unsupported("JPEG 2000 of \(precision) bits") }
        guard headers.tiles <= limits.tilesMax else { throw .tooLarge(limit: "tilesMax", value: headers.tiles) }
        let samples = image.rows * image.columns * image.samplesPerPixel
        if samples > limits.samplesMax {
            let blocks = samples / headers.blockSamples
            guard blocks <= limits.blocksMax else { throw .tooLarge(limit: "blocksMax", value: blocks) }
        }
        return precision
    }

    /// Runs the decoder and hands out its picture.
    private static func decoded(
        _ source: UnsafeMutableBufferPointer<UInt8>, _ headers: JPEG2000Headers, _ halvings: Int,
        _ region: FrameRegion?, _ body: (opj_image_t) throws(PixelCodecError) -> [UInt8]
    ) throws(PixelCodecError) -> [UInt8] {
        let area = try region.map { (region) throws(PixelCodecError) in try Self.area(region, headers) }
        var memory = hilum_opj_memory(
            bytes: source.baseAddress, length: source.count, capacity: source.count, limit: 0, position: 0)
        guard let codec = opj_create_decompress(headers.isFile ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K) else {
            throw .malformed("no memory for a decoder")
        }
        defer { opj_destroy_codec(codec) }
        return try withStream(&memory, isInput: true) { stream throws(PixelCodecError) in
            var parameters = opj_dparameters_t()
            opj_set_default_decoder_parameters(&parameters)
            parameters.cp_reduce = UInt32(halvings)
            var picture: UnsafeMutablePointer<opj_image_t>?
            defer { opj_image_destroy(picture) }
            guard opj_setup_decoder(codec, &parameters) != 0, opj_read_header(stream, codec, &picture) != 0,
                picture != nil
            else { throw .malformed("the header cannot be used") }
            if let area, opj_set_decode_area(codec, picture, area.left, area.top, area.right, area.bottom) == 0 {
                throw .malformed("the region cannot be decoded")
            }
            guard opj_decode(codec, stream, picture) != 0, let picture = picture?.pointee else {
                throw .malformed("a tile cannot be decoded")
            }
            return try body(picture)
        }
    }

    /// A region on the reference grid. Throws `.unsupported` beyond what OpenJPEG counts, 2^31.
    private static func area(
        _ region: FrameRegion, _ headers: JPEG2000Headers
    ) throws(PixelCodecError) -> (left: Int32, top: Int32, right: Int32, bottom: Int32) {
        // Each is below 2^33.
        guard let left = Int32(exactly: headers.left + region.left),
            let top = Int32(exactly: headers.top + region.top),
            let right = Int32(exactly: headers.left + region.left + region.columns),
            let bottom = Int32(exactly: headers.top + region.top + region.rows)
        else { throw .unsupported("JPEG 2000 that begins so far on its grid") }
        return (left, top, right, bottom)
    }

    private static func withStream<Value>(
        _ memory: inout hilum_opj_memory, isInput: Bool,
        _ body: (OpaqueStream) throws(PixelCodecError) -> Value
    ) throws(PixelCodecError) -> Value {
        let result = withUnsafeMutablePointer(to: &memory) { memory -> Result<Value, PixelCodecError> in
            guard let stream = hilum_opj_stream(memory, isInput ? 1 : 0) else {
                return .failure(.malformed("no memory for a stream"))
            }
            defer { opj_stream_destroy(stream) }
            do throws(PixelCodecError) { return .success(try body(stream)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private typealias OpaqueStream = UnsafeMutablePointer<opj_stream_t?>

    /// The samples of a decoded picture, the low bits of each.
    private static func samples(
        _ picture: opj_image_t, _ image: ImagePixel, rows: Int, columns: Int, precision: Int, size: Int
    ) throws(PixelCodecError) -> [UInt8] {
        guard Int(picture.numcomps) == image.samplesPerPixel, let components = picture.comps else {
            throw .malformed("\(picture.numcomps) components were decoded")
        }
        let samples = image.samplesPerPixel
        let mask = UInt32(truncatingIfNeeded: 1 << precision - 1)
        var out = [UInt8](repeating: 0, count: rows * columns * samples * size)
        for index in 0..<samples {
            let component = components[index]
            guard Int(component.w) == columns, Int(component.h) == rows, let values = component.data else {
                throw .malformed("\(component.h) rows of \(component.w) were decoded")
            }
            // A palette of the file around the codestream has a depth of its own.
            guard Int(component.prec) == precision else { throw .malformed("\(component.prec) bits were decoded") }
            // One that is signed here and not in the data set, or the other way, has the same bits.
            out.withUnsafeMutableBytes { out in
                var at = index * size
                for pixel in 0..<rows * columns {
                    let value = UInt32(bitPattern: values[pixel]) & mask
                    switch size {
                    case 1: out[at] = UInt8(truncatingIfNeeded: value)
                    case 2:
                        out.storeBytes(
                            of: UInt16(truncatingIfNeeded: value).littleEndian, toByteOffset: at, as: UInt16.self)
                    default: out.storeBytes(of: value.littleEndian, toByteOffset: at, as: UInt32.self)
                    }
                    at += samples * size
                }
            }
        }
        return out
    }

    /// Writes JPEG 2000 of 1 or 3 samples of up to 16 bits: reversible, or irreversible at a ratio. RGB is transformed
    /// to YBR_RCT or YBR_ICT.
    ///
    /// - Parameter tileSide: width and height of a tile in pixels, 1 or more; nil for a tile of all.
    static func encode(
        _ frame: NativeFrame, ratio: Double?, tileSide: Int32? = nil
    ) throws(PixelCodecError) -> EncodedFrame {
        let samples = frame.samplesPerPixel
        guard frame.sampleBytes <= 2, samples == 1 || samples == 3 else {
            throw .unsupported("JPEG 2000 of \(samples) samples of \(8 * frame.sampleBytes) bits")
        }
        let transforms = samples == 3 && frame.photometricInterpretation == "RGB"
        var parameters = opj_cparameters_t()
        opj_set_default_encoder_parameters(&parameters)
        parameters.tcp_numlayers = 1
        parameters.cp_disto_alloc = 1
        parameters.tcp_rates.0 = ratio.map { Float($0) } ?? 0
        parameters.irreversible = ratio == nil ? 0 : 1
        parameters.tcp_mct = transforms ? 1 : 0
        if let tileSide {
            parameters.tile_size_on = 1
            (parameters.cp_tdx, parameters.cp_tdy) = (tileSide, tileSide)
        }
        // As often as the smaller side can be halved, six sizes at most.
        var sizes = 1
        while sizes < 6, min(frame.rows, frame.columns) >> sizes > 0 { sizes += 1 }
        parameters.numresolution = Int32(sizes)
        guard let picture = picture(frame) else { throw .malformed("no memory for the picture") }
        defer { opj_image_destroy(picture) }
        guard let codec = opj_create_compress(OPJ_CODEC_J2K) else { throw .malformed("no memory for an encoder") }
        defer { opj_destroy_codec(codec) }
        var memory = hilum_opj_memory(
            bytes: nil, length: 0, capacity: 0, limit: frame.bytes.count * 2 + 1 << 16, position: 0)
        defer { free(memory.bytes) }
        try withStream(&memory, isInput: false) { stream throws(PixelCodecError) in
            guard opj_setup_encoder(codec, &parameters, picture) != 0, opj_start_compress(codec, picture, stream) != 0,
                opj_encode(codec, stream) != 0, opj_end_compress(codec, stream) != 0
            else { throw .malformed("the encoder refused the picture") }
        }
        guard let bytes = memory.bytes else { throw .malformed("the encoder wrote nothing") }
        return EncodedFrame(
            bytes: Array(UnsafeBufferPointer(start: bytes, count: memory.length)),
            photometricInterpretation: transforms
                ? (ratio == nil ? "YBR_RCT" : "YBR_ICT") : frame.photometricInterpretation,
            isLossy: ratio != nil)
    }

    private static func picture(_ frame: NativeFrame) -> UnsafeMutablePointer<opj_image_t>? {
        let samples = frame.samplesPerPixel
        var component = opj_image_cmptparm_t()
        component.dx = 1
        component.dy = 1
        component.w = UInt32(frame.columns)
        component.h = UInt32(frame.rows)
        component.prec = UInt32(frame.bitsStored)
        component.sgnd = frame.isSigned ? 1 : 0
        var components = [opj_image_cmptparm_t](repeating: component, count: samples)
        let space = samples == 1 ? OPJ_CLRSPC_GRAY : OPJ_CLRSPC_SRGB
        guard let picture = opj_image_create(UInt32(samples), &components, space) else { return nil }
        picture.pointee.x1 = UInt32(frame.columns)
        picture.pointee.y1 = UInt32(frame.rows)
        let pixels = frame.rows * frame.columns
        for index in 0..<samples {
            guard let values = picture.pointee.comps?[index].data else { continue }
            frame.bytes.withUnsafeBytes { bytes in
                var at = index * frame.sampleBytes
                for pixel in 0..<pixels {
                    values[pixel] =
                        frame.sampleBytes == 1
                        ? (frame.isSigned ? Int32(Int8(bitPattern: bytes[at])) : Int32(bytes[at]))
                        : word(bytes, at, isSigned: frame.isSigned)
                    at += samples * frame.sampleBytes
                }
            }
        }
        return picture
    }

    private static func word(_ bytes: UnsafeRawBufferPointer, _ at: Int, isSigned: Bool) -> Int32 {
        let value = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self))
        return isSigned ? Int32(Int16(bitPattern: value)) : Int32(value)
    }
}
