import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.awssdk.protocols.jsoncore.JsonWriter;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.SdkPartType;
import software.amazon.encryption.s3.CommitmentPolicy;
import software.amazon.encryption.s3.S3EncryptionClient;
import software.amazon.encryption.s3.algorithms.AlgorithmSuite;
import software.amazon.encryption.s3.internal.InstructionFileConfig;
import software.amazon.encryption.s3.materials.KmsKeyring;
import software.amazon.encryption.s3.materials.MultipartConfiguration;

/** Does jobs with the official S3 Encryption Client for Java: a JSON object a line in, one a line out (job.ts). */
public final class S3ec {
    private static final int PERIOD = 65_521;
    private static final int PART_BYTES = 5 * 1024 * 1024;
    private static final String BUCKET = System.getenv("S3EC_BUCKET");
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    private final URI endpoint = URI.create(System.getenv("AWS_ENDPOINT_URL"));
    private final KmsClient kms = KmsClient.builder().endpointOverride(endpoint).build();
    private final S3Client plain = S3Client.builder()
        .endpointOverride(endpoint).forcePathStyle(true).overrideConfiguration(withoutExpect()).build();
    private final S3AsyncClient async = S3AsyncClient.builder()
        .endpointOverride(endpoint).forcePathStyle(true).overrideConfiguration(withoutExpect())
        .httpClientBuilder(NettyNioAsyncHttpClient.builder().readTimeout(Duration.ofMinutes(5)))
        .build();
    private final Map<String, S3EncryptionClient> encrypted = new HashMap<>();
    private final Map<String, byte[]> bodies = new HashMap<>();

    public static void main(String[] args) throws IOException {
        S3ec client = new S3ec();
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            OUT.println(client.answerTo(JsonNode.parser().parse(line)));
        }
        // Its clients keep threads.
        System.exit(0);
    }

    private String answerTo(JsonNode job) {
        JsonWriter json = JsonWriter.create().writeStartObject();
        try {
            Map<String, Object> done = perform(job);
            json.writeFieldName("ok");
            write(json, done);
        } catch (Throwable error) {
            json.writeFieldName("error").writeValue(error.getClass().getSimpleName());
            json.writeFieldName("message").writeValue(reasons(error));
        }
        return new String(json.writeEndObject().getBytes(), StandardCharsets.UTF_8);
    }

    private Map<String, Object> perform(JsonNode job) throws Exception {
        return switch (text(job, "do", "")) {
            case "put" -> put(job);
            case "get" -> get(job);
            case "head" -> {
                var head = official(job).headObject(ask -> ask.bucket(BUCKET).key(text(job, "key", "")));
                yield Map.of("contentLength", head.contentLength());
            }
            case "time" -> Map.of("seconds", timed(job));
            default -> throw new IllegalArgumentException("unknown job");
        };
    }

    private S3EncryptionClient official(JsonNode job) {
        String format = text(job, "format", "V3");
        boolean legacy = truth(job, "legacy");
        boolean files = text(job, "road", "").equals("instruction");
        boolean parts = text(job, "road", "").equals("uploader");
        long buffer = job.field("bufferBytes").map(one -> Long.parseLong(one.asNumber())).orElse(0L);
        return encrypted.computeIfAbsent(format + legacy + files + parts + buffer, name -> {
            var keyring = KmsKeyring.builder().kmsClient(kms).wrappingKeyId(System.getenv("S3EC_KMS_KEY"))
                .enableLegacyWrappingAlgorithms(legacy).build();
            var builder = S3EncryptionClient.builderV4().keyring(keyring)
                .wrappedClient(plain).wrappedAsyncClient(async)
                .enableLegacyWrappingAlgorithms(legacy).enableLegacyUnauthenticatedModes(legacy)
                .enableMultipartPutObject(parts)
                .instructionFileConfig(InstructionFileConfig.builder()
                    .instructionFileClient(plain).enableInstructionFilePutObject(files).build());
            if (buffer > 0) {
                builder.setBufferSize(buffer);
            }
            if (format.equals("V2")) {
                builder.encryptionAlgorithm(AlgorithmSuite.ALG_AES_256_GCM_IV12_TAG16_NO_KDF)
                    .commitmentPolicy(CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT);
            }
            return builder.build();
        });
    }

    private Map<String, Object> put(JsonNode job) {
        String key = text(job, "key", "");
        byte[] body = body(job);
        S3EncryptionClient s3 = official(job);
        var request = PutObjectRequest.builder().bucket(BUCKET).key(key).metadata(texts(job, "metadata"));
        if (job.field("context").isPresent()) {
            request.overrideConfiguration(S3EncryptionClient.withAdditionalConfiguration(texts(job, "context")));
        }
        switch (text(job, "road", "")) {
            case "put", "instruction" -> s3.putObject(request.build(), RequestBody.fromBytes(body));
            case "stream" ->
                s3.putObject(request.build(), RequestBody.fromInputStream(new Once(body), body.length));
            case "uploader" -> {
                var configuration = MultipartConfiguration.builder().partSize(PART_BYTES).build();
                request.overrideConfiguration(
                    S3EncryptionClient.withAdditionalConfiguration(texts(job, "context"), configuration));
                s3.putObject(request.build(), RequestBody.fromBytes(body));
            }
            case "multipart" -> multipart(s3, job, body);
            default -> throw new IllegalArgumentException("unknown road");
        }
        return Map.of();
    }

    private void multipart(S3EncryptionClient s3, JsonNode job, byte[] body) {
        String key = text(job, "key", "");
        String id = s3.createMultipartUpload(create -> {
            create.bucket(BUCKET).key(key).metadata(texts(job, "metadata"));
            if (job.field("context").isPresent()) {
                create.overrideConfiguration(S3EncryptionClient.withAdditionalConfiguration(texts(job, "context")));
            }
        }).uploadId();
        List<CompletedPart> parts = new ArrayList<>();
        for (int start = 0; start < body.length; start += PART_BYTES) {
            int number = parts.size() + 1;
            int end = Math.min(start + PART_BYTES, body.length);
            var type = end == body.length ? SdkPartType.LAST : SdkPartType.DEFAULT;
            String tag = s3.uploadPart(
                upload -> upload.bucket(BUCKET).key(key).uploadId(id).partNumber(number).sdkPartType(type),
                RequestBody.fromBytes(Arrays.copyOfRange(body, start, end))).eTag();
            parts.add(CompletedPart.builder().partNumber(number).eTag(tag).build());
        }
        s3.completeMultipartUpload(complete -> complete.bucket(BUCKET).key(key).uploadId(id)
            .multipartUpload(upload -> upload.parts(parts)));
    }

    private Map<String, Object> get(JsonNode job) throws Exception {
        var request = GetObjectRequest.builder().bucket(BUCKET).key(text(job, "key", ""));
        if (job.field("context").isPresent()) {
            request.overrideConfiguration(S3EncryptionClient.withAdditionalConfiguration(texts(job, "context")));
        }
        job.field("range").ifPresent(range -> request.range(range.asString()));
        var got = official(job).getObject(request.build(), ResponseTransformer.toBytes());
        byte[] body = got.asByteArray();
        GetObjectResponse answer = got.response();
        Map<String, Object> done = new LinkedHashMap<>();
        done.put("bytes", body.length);
        done.put("sha256", HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body)));
        done.put("contentLength", answer.contentLength());
        done.put("contentRange", answer.contentRange());
        done.put("metadata", answer.metadata().entrySet().stream()
            .filter(one -> !one.getKey().startsWith("x-amz-"))
            .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)));
        return done;
    }

    private List<Double> timed(JsonNode job) throws IOException {
        S3Client s3 = text(job, "client", "").equals("plain") ? plain : official(job);
        String key = text(job, "key", "");
        byte[] body = body(job);
        List<Double> seconds = new ArrayList<>();
        for (int i = Integer.parseInt(job.field("calls").orElseThrow().asNumber()); i > 0; i--) {
            long start = System.nanoTime();
            if (text(job, "what", "").equals("put")) {
                s3.putObject(put -> put.bucket(BUCKET).key(key), RequestBody.fromBytes(body));
            } else {
                try (ResponseInputStream<?> got = s3.getObject(get -> get.bucket(BUCKET).key(key))) {
                    if (length(got) != body.length) {
                        throw new IllegalStateException("another body");
                    }
                }
            }
            seconds.add((System.nanoTime() - start) / 1e9);
        }
        return seconds;
    }

    private static long length(InputStream stream) throws IOException {
        byte[] piece = new byte[1 << 16];
        long length = 0;
        for (int read = stream.read(piece); read >= 0; read = stream.read(piece)) {
            length += read;
        }
        return length;
    }

    private byte[] body(JsonNode job) {
        JsonNode body = job.field("body").orElseThrow();
        String seed = text(body, "seed", "");
        int bytes = Integer.parseInt(body.field("bytes").orElseThrow().asNumber());
        return bodies.computeIfAbsent(seed + " " + bytes, name -> {
            byte[] period = new byte[(PERIOD + 31) / 32 * 32];
            for (int i = 0; i * 32 < period.length; i++) {
                byte[] text = (seed + " " + i).getBytes(StandardCharsets.UTF_8);
                System.arraycopy(sha256(text), 0, period, i * 32, 32);
            }
            byte[] all = new byte[bytes];
            for (int start = 0; start < bytes; start += PERIOD) {
                System.arraycopy(period, 0, all, start, Math.min(PERIOD, bytes - start));
            }
            return all;
        });
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (java.security.NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static String text(JsonNode node, String name, String otherwise) {
        return node.field(name).map(JsonNode::asString).orElse(otherwise);
    }

    private static boolean truth(JsonNode node, String name) {
        return node.field(name).map(JsonNode::asBoolean).orElse(false);
    }

    private static Map<String, String> texts(JsonNode node, String name) {
        Map<String, String> texts = new LinkedHashMap<>();
        node.field(name).ifPresent(one -> one.asObject().forEach((key, value) -> texts.put(key, value.asString())));
        return texts;
    }

    private static void write(JsonWriter json, Object value) {
        if (value == null) {
            json.writeNull();
        } else if (value instanceof Map<?, ?> map) {
            json.writeStartObject();
            map.forEach((name, one) -> {
                json.writeFieldName((String) name);
                write(json, one);
            });
            json.writeEndObject();
        } else if (value instanceof List<?> list) {
            json.writeStartArray();
            list.forEach(one -> write(json, one));
            json.writeEndArray();
        } else if (value instanceof Integer number) {
            json.writeValue(number);
        } else if (value instanceof Long number) {
            json.writeValue(number);
        } else if (value instanceof Double number) {
            json.writeValue(number);
        } else {
            json.writeValue((String) value);
        }
    }

    private static String reasons(Throwable error) {
        StringBuilder reasons = new StringBuilder();
        for (Throwable one = error; one != null; one = one.getCause()) {
            reasons.append(reasons.isEmpty() ? "" : " <- ").append(one);
        }
        return reasons.toString();
    }

    /** Some servers answer `Expect: 100-continue` twice, which this SDK takes for the end. */
    private static ClientOverrideConfiguration withoutExpect() {
        return ClientOverrideConfiguration.builder().addExecutionInterceptor(new ExecutionInterceptor() {
            @Override
            public SdkHttpRequest modifyHttpRequest(Context.ModifyHttpRequest context, ExecutionAttributes attributes) {
                return context.httpRequest().toBuilder().removeHeader("Expect").build();
            }
        }).build();
    }

    /** A stream that can't be read twice. */
    private static final class Once extends InputStream {
        private final InputStream inner;

        Once(byte[] content) {
            inner = new ByteArrayInputStream(content);
        }

        @Override
        public int read() throws IOException {
            return inner.read();
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            return inner.read(into, offset, length);
        }
    }
}
