// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
//
// Linear regression with a parameter server: all ranks compute the gradient of their own mini batch, the gradients
// are reduced to rank 0, which keeps the master weights and the momentum, and the new weights are broadcast.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>
#include <cuda_runtime.h>
#include <nccl.h>
#include <mpi.h>

#define HANDLE_ERROR( err ) ( HandleError( err, __FILE__, __LINE__ ) )
#define HANDLE_NCCL( err ) ( HandleNccl( err, __FILE__, __LINE__ ) )

static void HandleError( cudaError_t err, const char *file, int line ) {
    if (err != cudaSuccess) {
        printf( "%s in %s at line %d\n", cudaGetErrorString( err ), file, line );
        MPI_Abort( MPI_COMM_WORLD, EXIT_FAILURE );
    }
}

static void HandleNccl( ncclResult_t err, const char *file, int line ) {
    if (err != ncclSuccess) {
        printf( "%s in %s at line %d\n", ncclGetErrorString( err ), file, line );
        MPI_Abort( MPI_COMM_WORLD, EXIT_FAILURE );
    }
}

const int SERVER = 0;
const int threadsPerBlock = 128;

// uniform in [-1, 1)
__host__ __device__ float uniform( uint32_t stream, uint32_t counter ) {
    uint64_t state = ((uint64_t)stream << 32 | counter) * 6364136223846793005ULL + 1442695040888963407ULL;
    uint32_t word = (uint32_t)(((state >> ((state >> 59) + 5)) ^ state) >> 22);
    word = (word ^ (word >> 17)) * 0xed5ad4bbu;
    word = (word ^ (word >> 11)) * 0xac4c1b51u;
    return (float)(word >> 8) * (2.0f / 16777216.0f) - 1.0f;
}

__host__ __device__ uint32_t featureStream( int rank, int iteration ) { return (uint32_t)(iteration * 4096 + rank * 2); }
__host__ __device__ uint32_t labelStream( int rank, int iteration ) { return (uint32_t)(iteration * 4096 + rank * 2 + 1); }
__host__ __device__ float initialWeight( int feature ) { return uniform( 0x7fffffffu, (uint32_t)feature ); }

__global__ void makeBatch( float *x, float *y, int features, int samples, int rank, int iteration ) {
    int tid = threadIdx.x + blockIdx.x * blockDim.x;
    while (tid < features * samples) {
        x[tid] = uniform( featureStream( rank, iteration ), (uint32_t)tid );
        if (tid < samples)
            y[tid] = uniform( labelStream( rank, iteration ), (uint32_t)tid );
        tid += blockDim.x * gridDim.x;
    }
}

// residual[s] = x[s] . w - y[s], one block per sample
__global__ void residuals( const float *x, const float *y, const float *w, float *residual, int features ) {
    __shared__ float cache[threadsPerBlock];
    int cacheIndex = threadIdx.x;

    float temp = 0;
    for (int f = threadIdx.x; f < features; f += blockDim.x)
        temp += x[blockIdx.x * features + f] * w[f];
    cache[cacheIndex] = temp;
    __syncthreads();

    // threadsPerBlock is a power of 2
    int i = blockDim.x / 2;
    while (i != 0) {
        if (cacheIndex < i)
            cache[cacheIndex] += cache[cacheIndex + i];
        __syncthreads();
        i /= 2;
    }
    if (cacheIndex == 0)
        residual[blockIdx.x] = cache[0] - y[blockIdx.x];
}

__global__ void gradient( const float *x, const float *residual, float *grad, int features, int samples ) {
    int f = threadIdx.x + blockIdx.x * blockDim.x;
    if (f >= features) return;
    float sum = 0;
    for (int s = 0; s < samples; s++)
        sum += x[s * features + f] * residual[s];
    grad[f] = sum;
}

__global__ void momentumStep( float *master, float *velocity, const float *gradSum, int features, float rate, float momentum ) {
    int f = threadIdx.x + blockIdx.x * blockDim.x;
    if (f < features) {
        float v = momentum * velocity[f] - rate * gradSum[f];
        velocity[f] = v;
        master[f] += v;
    }
}

// The workers' half of an iteration; the server takes part in it as a worker, too.
static void computeGradient( const float *x, const float *y, const float *weights, float *residual, float *grad,
                             int features, int samples, cudaStream_t stream ) {
    int blocks = (features + threadsPerBlock - 1) / threadsPerBlock;
    residuals<<<samples, threadsPerBlock, 0, stream>>>( x, y, weights, residual, features );
    gradient<<<blocks, threadsPerBlock, 0, stream>>>( x, residual, grad, features, samples );
    HANDLE_ERROR( cudaGetLastError() );
}

static void pushGradient( const float *grad, float *gradSum, int features, int server, ncclComm_t comm, cudaStream_t stream ) {
    HANDLE_NCCL( ncclReduce( grad, gradSum, (size_t)features, ncclFloat, ncclSum, server, comm, stream ) );
}

static void updateMaster( float *master, float *velocity, const float *gradSum, int features, float rate, float momentum,
                          int rank, int server, cudaStream_t stream ) {
    if (rank != server) return;
    int blocks = (features + threadsPerBlock - 1) / threadsPerBlock;
    momentumStep<<<blocks, threadsPerBlock, 0, stream>>>( master, velocity, gradSum, features, rate, momentum );
    HANDLE_ERROR( cudaGetLastError() );
}

static void pullWeights( const float *master, float *weights, int features, int rank, int server, ncclComm_t comm,
                         cudaStream_t stream ) {
    // only the server's source counts
    const float *source = rank == server ? master : weights;
    HANDLE_NCCL( ncclBroadcast( source, weights, (size_t)features, ncclFloat, server, comm, stream ) );
}

static void train( float *x, float *y, float *weights, float *residual, float *grad, float *gradSum, float *master,
                   float *velocity, int features, int samples, int iterations, float rate, float momentum, int rank,
                   int server, ncclComm_t comm, cudaStream_t stream ) {
    for (int iteration = 0; iteration < iterations; iteration++) {
        makeBatch<<<8, threadsPerBlock, 0, stream>>>( x, y, features, samples, rank, iteration );
        computeGradient( x, y, weights, residual, grad, features, samples, stream );
        pushGradient( grad, gradSum, features, server, comm, stream );
        updateMaster( master, velocity, gradSum, features, rate, momentum, rank, server, stream );
        pullWeights( master, weights, features, rank, server, comm, stream );
    }
}

// The same training with everybody's batches in double precision.
static void trainOnHost( std::vector<double> &w, std::vector<double> &v, int features, int samples, int iterations,
                         float rate, float momentum, int ranks ) {
    for (int f = 0; f < features; f++) { w[f] = initialWeight( f ); v[f] = 0; }
    std::vector<double> g( features );
    for (int iteration = 0; iteration < iterations; iteration++) {
        g.assign( features, 0.0 );
        for (int r = 0; r < ranks; r++)
            for (int s = 0; s < samples; s++) {
                double e = -(double)uniform( labelStream( r, iteration ), (uint32_t)s );
                for (int f = 0; f < features; f++) e += uniform( featureStream( r, iteration ), (uint32_t)(s * features + f) ) * w[f];
                for (int f = 0; f < features; f++) g[f] += uniform( featureStream( r, iteration ), (uint32_t)(s * features + f) ) * e;
            }
        for (int f = 0; f < features; f++) {
            v[f] = (double)momentum * v[f] - (double)rate * g[f];
            w[f] += v[f];
        }
    }
}

static int compare( const float *device, const std::vector<double> &expected ) {
    std::vector<float> host( expected.size() );
    HANDLE_ERROR( cudaMemcpy( host.data(), device, host.size() * sizeof(float), cudaMemcpyDeviceToHost ) );
    int bad = 0;
    for (size_t f = 0; f < host.size(); f++)
        if (!(std::fabs( host[f] - expected[f] ) <= 1e-5 * (1 + std::fabs( expected[f] )))) bad++;
    return bad;
}

int main( int argc, char *argv[] ) {
    int rank, ranks, gpus;
    MPI_Init( &argc, &argv );
    MPI_Comm_rank( MPI_COMM_WORLD, &rank );
    MPI_Comm_size( MPI_COMM_WORLD, &ranks );
    const int features = argc > 1 ? atoi( argv[1] ) : 1000;
    const int samples = argc > 2 ? atoi( argv[2] ) : 8;
    const int iterations = argc > 3 ? atoi( argv[3] ) : 4;
    const float rate = 0.125f / (ranks * samples), momentum = 0.75f;

    HANDLE_ERROR( cudaGetDeviceCount( &gpus ) );
    HANDLE_ERROR( cudaSetDevice( rank % gpus ) );

    ncclComm_t comm;
    ncclUniqueId id;
    if (rank == 0) HANDLE_NCCL( ncclGetUniqueId( &id ) );
    MPI_Bcast( &id, sizeof(id), MPI_BYTE, 0, MPI_COMM_WORLD );
    HANDLE_NCCL( ncclCommInitRank( &comm, ranks, id, rank ) );

    float *dev_x, *dev_y, *dev_weights, *dev_residual, *dev_grad, *dev_sum = NULL, *dev_master = NULL, *dev_velocity = NULL;
    HANDLE_ERROR( cudaMalloc( (void**)&dev_x, (size_t)features * samples * sizeof(float) ) );
    HANDLE_ERROR( cudaMalloc( (void**)&dev_y, samples * sizeof(float) ) );
    HANDLE_ERROR( cudaMalloc( (void**)&dev_weights, features * sizeof(float) ) );
    HANDLE_ERROR( cudaMalloc( (void**)&dev_residual, samples * sizeof(float) ) );
    HANDLE_ERROR( cudaMalloc( (void**)&dev_grad, features * sizeof(float) ) );
    std::vector<float> start( features );
    for (int f = 0; f < features; f++) start[f] = initialWeight( f );
    HANDLE_ERROR( cudaMemcpy( dev_weights, start.data(), features * sizeof(float), cudaMemcpyHostToDevice ) );
    if (rank == SERVER) {
        HANDLE_ERROR( cudaMalloc( (void**)&dev_sum, features * sizeof(float) ) );
        HANDLE_ERROR( cudaMalloc( (void**)&dev_master, features * sizeof(float) ) );
        HANDLE_ERROR( cudaMalloc( (void**)&dev_velocity, features * sizeof(float) ) );
        HANDLE_ERROR( cudaMemset( dev_sum, 0xff, features * sizeof(float) ) );
        HANDLE_ERROR( cudaMemset( dev_velocity, 0, features * sizeof(float) ) );
        HANDLE_ERROR( cudaMemcpy( dev_master, start.data(), features * sizeof(float), cudaMemcpyHostToDevice ) );
    }

    cudaStream_t stream;
    cudaEvent_t begin, end;
    HANDLE_ERROR( cudaStreamCreate( &stream ) );
    HANDLE_ERROR( cudaEventCreate( &begin ) );
    HANDLE_ERROR( cudaEventCreate( &end ) );
    HANDLE_ERROR( cudaDeviceSynchronize() );
    MPI_Barrier( MPI_COMM_WORLD );

    HANDLE_ERROR( cudaEventRecord( begin, stream ) );
    train( dev_x, dev_y, dev_weights, dev_residual, dev_grad, dev_sum, dev_master, dev_velocity, features, samples,
           iterations, rate, momentum, rank, SERVER, comm, stream );
    HANDLE_ERROR( cudaEventRecord( end, stream ) );
    HANDLE_ERROR( cudaEventSynchronize( end ) );
    float elapsedTime;
    HANDLE_ERROR( cudaEventElapsedTime( &elapsedTime, begin, end ) );
    printf( "Time: %3.3f ms\n", elapsedTime );

    std::vector<double> w( features ), v( features );
    trainOnHost( w, v, features, samples, iterations, rate, momentum, ranks );
    int bad = compare( dev_weights, w );
    if (rank == SERVER) bad += compare( dev_master, w ) + compare( dev_velocity, v );
    printf( "Verification: %s\n", bad == 0 ? "PASS" : "FAIL" );

    HANDLE_ERROR( cudaEventDestroy( begin ) );
    HANDLE_ERROR( cudaEventDestroy( end ) );
    HANDLE_ERROR( cudaStreamDestroy( stream ) );
    float *all[] = { dev_x, dev_y, dev_weights, dev_residual, dev_grad, dev_sum, dev_master, dev_velocity };
    for (float *p : all) HANDLE_ERROR( cudaFree( p ) );
    HANDLE_NCCL( ncclCommDestroy( comm ) );
    MPI_Finalize();
    return bad == 0 ? 0 : 1;
}
