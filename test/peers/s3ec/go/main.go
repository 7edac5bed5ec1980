// Does jobs with the official S3 Encryption Client for Go: a JSON object a line in, one a line out (job.ts).
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/aws/amazon-s3-encryption-client-go/v4/client"
	"github.com/aws/amazon-s3-encryption-client-go/v4/commitment"
	"github.com/aws/amazon-s3-encryption-client-go/v4/materials"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const period = 65521

type job struct {
	Do       string
	Key      string
	Road     string
	Format   string
	Context  map[string]string
	Metadata map[string]string
	Range    *string
	Legacy   bool
	What     string
	Client   string
	Calls    int
	Body     struct {
		Seed  string
		Bytes int
	}
}

type done map[string]any

type answer struct {
	Ok      *done  `json:"ok,omitempty"`
	Error   string `json:"error,omitempty"`
	Message string `json:"message,omitempty"`
}

// What both clients of S3 have.
type objects interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

var (
	settings  = must(config.LoadDefaultConfig(context.Background()))
	plain     = s3.NewFromConfig(settings, func(o *s3.Options) { o.UsePathStyle = true })
	keys      = kms.NewFromConfig(settings)
	bucket    = os.Getenv("S3EC_BUCKET")
	kmsKey    = os.Getenv("S3EC_KMS_KEY")
	encrypted = map[string]*client.S3EncryptionClientV4{}
	bodies    = map[string][]byte{}
)

func main() {
	log.SetFlags(0)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var one job
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			log.Fatal(err)
		}
		if err := out.Encode(answerTo(one)); err != nil {
			log.Fatal(err)
		}
	}
}

// A panic of the client is an answer too.
func answerTo(one job) (said answer) {
	defer func() {
		if panicked := recover(); panicked != nil {
			said = answer{Error: "panic", Message: fmt.Sprint(panicked)}
		}
	}()
	did, err := do(one)
	if err != nil {
		innermost := err
		for next := err; next != nil; next = errors.Unwrap(next) {
			innermost = next
		}
		return answer{Error: strings.TrimPrefix(fmt.Sprintf("%T", innermost), "*"), Message: err.Error()}
	}
	return answer{Ok: &did}
}

func do(one job) (done, error) {
	switch one.Do {
	case "put":
		return done{}, put(one)
	case "get":
		return get(one)
	case "head":
		head, err := official(one).HeadObject(context.Background(), &s3.HeadObjectInput{Bucket: &bucket, Key: &one.Key})
		if err != nil {
			return nil, err
		}
		return done{"contentLength": head.ContentLength}, nil
	case "time":
		return timed(one)
	}
	return nil, fmt.Errorf("unknown job %s", one.Do)
}

func official(one job) *client.S3EncryptionClientV4 {
	name := fmt.Sprint(one.Format, one.Legacy)
	if encrypted[name] == nil {
		keyring := materials.NewKmsKeyring(keys, kmsKey, func(o *materials.KeyringOptions) {
			o.EnableLegacyWrappingAlgorithms = one.Legacy
		})
		manager := must(materials.NewCryptographicMaterialsManager(keyring))
		encrypted[name] = must(client.New(plain, manager, func(o *client.EncryptionClientOptions) {
			o.EnableLegacyUnauthenticatedModes = one.Legacy
			o.Logger = log.New(io.Discard, "", 0)
			if one.Format == "V2" {
				o.CommitmentPolicy = commitment.FORBID_ENCRYPT_ALLOW_DECRYPT
			}
		}))
	}
	return encrypted[name]
}

func contextOf(one job) context.Context {
	if one.Context == nil {
		return context.Background()
	}
	return context.WithValue(context.Background(), client.EncryptionContext, one.Context)
}

func put(one job) error {
	var body io.Reader = bytes.NewReader(bodyOf(one))
	switch one.Road {
	case "put":
	case "stream":
		body = struct{ io.Reader }{body}
	case "uploader":
	default:
		return fmt.Errorf("unknown road %s", one.Road)
	}
	input := &s3.PutObjectInput{Bucket: &bucket, Key: &one.Key, Body: body, Metadata: one.Metadata}
	var err error
	if one.Road == "uploader" {
		_, err = manager.NewUploader(official(one)).Upload(contextOf(one), input)
	} else {
		_, err = official(one).PutObject(contextOf(one), input)
	}
	return err
}

func get(one job) (done, error) {
	input := &s3.GetObjectInput{Bucket: &bucket, Key: &one.Key, Range: one.Range}
	got, err := official(one).GetObject(contextOf(one), input)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(got.Body)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(body)
	users := map[string]string{}
	for name, value := range got.Metadata {
		if !strings.HasPrefix(name, "x-amz-") {
			users[name] = value
		}
	}
	return done{
		"bytes":         len(body),
		"sha256":        hex.EncodeToString(digest[:]),
		"contentLength": got.ContentLength,
		"contentRange":  got.ContentRange,
		"metadata":      users,
	}, nil
}

func timed(one job) (done, error) {
	one.Format = "V3"
	var s3client objects = plain
	if one.Client == "official" {
		s3client = official(one)
	}
	body := bodyOf(one)
	seconds := make([]float64, 0, one.Calls)
	for range one.Calls {
		start := time.Now()
		if err := call(s3client, one, body); err != nil {
			return nil, err
		}
		seconds = append(seconds, time.Since(start).Seconds())
	}
	return done{"seconds": seconds}, nil
}

func call(s3client objects, one job, body []byte) error {
	if one.What == "put" {
		input := &s3.PutObjectInput{Bucket: &bucket, Key: &one.Key, Body: bytes.NewReader(body)}
		_, err := s3client.PutObject(context.Background(), input)
		return err
	}
	got, err := s3client.GetObject(context.Background(), &s3.GetObjectInput{Bucket: &bucket, Key: &one.Key})
	if err != nil {
		return err
	}
	// Room for all of it at once: the quickest way to have a whole object in memory.
	whole := bytes.NewBuffer(make([]byte, 0, len(body)+bytes.MinRead))
	read, err := whole.ReadFrom(got.Body)
	if err == nil && read != int64(len(body)) {
		err = errors.New("another body")
	}
	return err
}

func bodyOf(one job) []byte {
	name := fmt.Sprint(one.Body)
	if bodies[name] == nil {
		var once []byte
		for i := 0; len(once) < period; i++ {
			digest := sha256.Sum256(fmt.Appendf(nil, "%s %d", one.Body.Seed, i))
			once = append(once, digest[:]...)
		}
		bodies[name] = bytes.Repeat(once[:period], one.Body.Bytes/period+1)[:one.Body.Bytes]
	}
	return bodies[name]
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
